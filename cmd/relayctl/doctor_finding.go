package main

import (
	"fmt"
	"io"

	"changerelay/internal/stream"
)

// findings are what doctor prints.
type findings []stream.Finding

// verdict is nil if nothing has to be mended.
func (fs findings) verdict(strict bool) error {
	n := map[stream.Level]int{}
	for _, f := range fs.grouped() {
		n[f.Level]++
	}
	switch bad, notes := n[stream.Bad], n[stream.Note]; {
	case bad > 0:
		return fmt.Errorf("%s to be mended", count(bad, "thing"))
	case strict && notes > 0:
		return fmt.Errorf("%s, and --strict wants none", count(notes, "note"))
	}
	return nil
}

func (fs findings) print(out io.Writer) error {
	t := newTable(out)
	for _, f := range fs.grouped() {
		t.row(string(f.Level), f.What, say(f))
	}
	return t.flush()
}

func (fs findings) objects() (all []any) {
	for _, f := range fs {
		all = append(all, f)
	}
	return all
}

// states leave the details of what is well out: numbers and times, mostly.
func (fs findings) states() (all []state) {
	for _, f := range fs {
		is := string(f.Level)
		if f.Level != stream.OK {
			is += ", " + say(f)
		}
		all = append(all, state{f.What, is})
	}
	return all
}

// say is a finding's detail and what to do.
func say(f stream.Finding) string {
	if f.Remedy == "" {
		return f.Detail
	}
	return f.Detail + "; " + f.Remedy
}

func finding(level stream.Level, what, format string, args ...any) stream.Finding {
	return stream.Finding{Level: level, What: what, Detail: fmt.Sprintf(format, args...)}
}
