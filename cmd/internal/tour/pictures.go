package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"changerelay/internal/dashboard"
	"changerelay/internal/picture"
)

// draw draws each dashboard as the day has left it, into the folder of --pictures.
func (c *cli) draw(ctx context.Context, s *stage, out io.Writer, span dashboard.Span) error {
	boards, err := c.boards()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(c.Pictures, 0o755); err != nil {
		return fmt.Errorf("drawing the pictures: %w", err)
	}
	for _, b := range boards {
		name := filepath.Join(c.Pictures, strings.TrimPrefix(b.UID, "changerelay-")+".svg")
		var svg bytes.Buffer
		if err := picture.Draw(ctx, &svg, b, s.prometheus(), b.All(rateOver, span.To.Sub(span.From)), span); err != nil {
			return err
		}
		if err := os.WriteFile(name, svg.Bytes(), 0o644); err != nil {
			return fmt.Errorf("drawing the pictures: %w", err)
		}
		fmt.Fprintf(out, "       %s, %d kB\n", name, svg.Len()/1000)
	}
	return nil
}

// since is the day so far.
func since(began time.Time) dashboard.Span {
	now := time.Now()
	return dashboard.Span{From: began, To: now, Step: max(now.Sub(began)/points, time.Second).Truncate(time.Second)}
}
