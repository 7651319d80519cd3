package main

import (
	"fmt"
	"io"
	"time"
)

// progress says how far a long command is: a line now and then, nothing if it
// is quick.
type progress struct {
	to   io.Writer
	what string // such as "dead letters read"
	n    int
	next time.Time
}

func (p *progress) add(n int) {
	now := time.Now()
	if p.next.IsZero() {
		p.next = now.Add(progressEvery)
	}
	p.n += n
	if now.After(p.next) {
		fmt.Fprintf(p.to, "relayctl: %d %s\n", p.n, p.what)
		p.next = now.Add(progressEvery)
	}
}
