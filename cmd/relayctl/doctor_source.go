package main

import (
	"strings"
	"time"

	"changerelay/cmd/internal/boot"
	"changerelay/internal/ingest"
	"changerelay/internal/ingest/verify"
	"changerelay/internal/stream"
)

// checkSource reads the secrets, and says what the source's checks are, how long
// their keys are good, and what they do not protect from.
func checkSource(c *boot.Config, name string, now time.Time) []stream.Finding {
	what := "source " + name
	src, err := c.IngestSource(name)
	if err != nil {
		return []stream.Finding{finding(stream.Bad, what, "%v", strings.ReplaceAll(err.Error(), "\n", "; "))}
	}
	v, err := verify.New(src.Checks)
	if err != nil {
		return []stream.Finding{finding(stream.Bad, what, "%v", strings.ReplaceAll(err.Error(), "\n", "; "))}
	}
	defer v.Close()
	fs := []stream.Finding{finding(stream.OK, what, "verified by %s", strings.Join(v.Checks(), ", "))}
	for _, r := range rings(src.Checks) {
		fs = append(fs, r.findings(what, now)...)
	}
	for _, w := range v.Warnings() {
		fs = append(fs, finding(stream.Note, what, "%s", w))
	}
	return fs
}

// checkShared finds secrets that two sources have: the relay would not start.
func checkShared(c *boot.Config) (fs []stream.Finding) {
	var readable []ingest.Source
	for name := range c.Sources {
		if src, err := c.IngestSource(name); err == nil { // checkSource says what is wrong with the others
			readable = append(readable, src)
		}
	}
	for _, clash := range ingest.Clashes(readable) {
		fs = append(fs, finding(stream.Bad, "source "+clash.Source, "%s: %s", clash.Field, clash.Why))
	}
	return fs
}

// findings are about the keys of one check that are not good, or soon will not
// be.
func (r ring) findings(what string, now time.Time) (fs []stream.Finding) {
	add := func(level stream.Level, format string, args ...any) {
		fs = append(fs, finding(level, what, format, args...))
	}
	if !r.active(now) {
		add(stream.Bad, "%s: no key is good now, so nothing is let in; add one that is", r.check)
	}
	for _, k := range r.keys {
		switch end := k.NotAfter; {
		case end.IsZero() || end.Sub(now) > expiresSoon:
		case now.After(end):
			add(stream.Note, "%s: key %s expired %s; take it out", r.check, k.ID, stamp(end, now))
		case r.active(end.Add(1)):
			add(stream.Note, "%s: key %s expires %s, and another is good then; see that the sender uses that one", r.check, k.ID, stamp(end, now))
		default:
			add(stream.Bad, "%s: key %s expires %s, and none is good then; add the next one, and have the sender use it", r.check, k.ID, stamp(end, now))
		}
	}
	return fs
}
