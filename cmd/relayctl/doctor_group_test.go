package main

import (
	"fmt"
	"strings"
	"testing"

	"changerelay/internal/stream"
)

// What is so of every stream is one line for people, and an object each for scripts.
func TestDoctorSaysTheSameOnce(t *testing.T) {
	r := newRig(t)
	r.edit("replicas: 1", "replicas: 3")
	got := r.run("doctor")
	got.fails(t, 1, "relayctl: 1 thing to be mended")
	want := "bad  streams num_replicas  CHANGES, TARGETS, DEVICES, OUTCOMES, DEAD, AUDIT, KV_marks, KV_ledger: is 1, want 3; the broker is a single server: set nats.replicas: 1 if that is meant, or run three and restart a service"
	if line := got.line(t, "streams num_replicas"); line != want {
		t.Errorf("got  %s\nwant %s", line, want)
	}
	if strings.Contains(got.out, "all current") || strings.Count(got.out, "num_replicas") != 1 {
		t.Errorf("it also says\n%s", got.out)
	}
	var of []string
	for _, f := range lines[stream.Finding](t, r.run("doctor", "--output", "json").out) {
		if name, ok := strings.CutSuffix(f.What, " num_replicas"); ok {
			of = append(of, name)
		}
	}
	if fmt.Sprint(of) != "[CHANGES TARGETS DEVICES OUTCOMES DEAD AUDIT KV_marks KV_ledger]" {
		t.Errorf("the objects are of %v", of)
	}
}

func TestGrouped(t *testing.T) {
	at := func(level stream.Level, what, detail, remedy string) stream.Finding {
		return stream.Finding{Level: level, What: what, Detail: detail, Remedy: remedy}
	}
	for name, c := range map[string]struct{ of, want findings }{
		"one stays":              {findings{at(stream.Bad, "CHANGES max_age", "is 1", "edit CHANGES")}, findings{at(stream.Bad, "CHANGES max_age", "is 1", "edit CHANGES")}},
		"other words":            {findings{at(stream.OK, "CHANGES size", "1 B", ""), at(stream.OK, "DEAD size", "2 B", "")}, findings{at(stream.OK, "CHANGES size", "1 B", ""), at(stream.OK, "DEAD size", "2 B", "")}},
		"other levels":           {findings{at(stream.Bad, "CHANGES x", "y", ""), at(stream.Note, "DEAD x", "y", "")}, findings{at(stream.Bad, "CHANGES x", "y", ""), at(stream.Note, "DEAD x", "y", "")}},
		"names in the remedy":    {findings{at(stream.Bad, "CHANGES x", "y", "edit CHANGES"), at(stream.Bad, "DEAD x", "y", "edit DEAD")}, findings{at(stream.Bad, "streams x", "CHANGES, DEAD: y", "edit <STREAM>")}},
		"of nothing in the many": {findings{at(stream.OK, "clock", "y", ""), at(stream.OK, "worker clock", "y", "")}, findings{at(stream.OK, "clock", "y", ""), at(stream.OK, "worker clock", "y", "")}},
		"the same of one":        {findings{at(stream.OK, "source x", "x", ""), at(stream.OK, "source x", "x", "")}, findings{at(stream.OK, "source x", "x", ""), at(stream.OK, "source x", "x", "")}},
		"a name in a word":       {findings{at(stream.OK, "tenant a", "has a token", ""), at(stream.OK, "tenant to", "has a token", "")}, findings{at(stream.OK, "tenant a", "has a token", ""), at(stream.OK, "tenant to", "has a token", "")}},
		"devices": {findings{at(stream.Bad, "device a.1", "is due", "pub a.1"), at(stream.OK, "devices", "2", ""), at(stream.Bad, "device a.2", "is due", "pub a.2")},
			findings{at(stream.Bad, "devices", "a.1, a.2: is due", "pub <DEVICE>"), at(stream.OK, "devices", "2", "")}},
	} {
		if got := c.of.grouped(); fmt.Sprint(got) != fmt.Sprint(c.want) {
			t.Errorf("%s: got  %v\nwant %v", name, got, c.want)
		}
	}
	var names []string
	for i := range namesShown + 3 {
		names = append(names, fmt.Sprint("t", i))
	}
	if got := enumerate(names); !strings.HasSuffix(got, ", t11 and 3 more (--output json has them)") {
		t.Error(got)
	}
}
