package main

import (
	"context"
	"io"
)

func (c *cli) draw(ctx context.Context, s *stage, out io.Writer) error { return nil }
