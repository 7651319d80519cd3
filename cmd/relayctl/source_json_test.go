package main

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

func TestSourceListObjects(t *testing.T) {
	b := newBench(t)
	b.write("snow", "\n")
	got := runWith(t, "", "source", "list", "--output", "json")
	got.fails(t, 1, "sources.snow.secrets[0]: the file "+b.dir+"/snow is empty")
	all := map[string]sourceObject{}
	for line := range strings.Lines(got.out) {
		var o sourceObject
		if err := json.Unmarshal([]byte(line), &o); err != nil {
			t.Fatal(err)
		}
		all[o.Source] = o
	}
	if len(all) != 4 {
		t.Fatalf("printed %s", got.out)
	}
	if d := all["desk"]; d.Kind != "cloudevents" || len(d.Paths) != 2 || !slices.Equal(d.Checks, []string{"signature"}) || len(d.Keys) != 2 || d.Keys[0].ID != "spring" ||
		d.Keys[0].NotAfter.IsZero() || !d.SignsTime || !slices.Equal(d.AllowFrom, []string{"203.0.113.0/24"}) || d.Error != "" {
		t.Errorf("desk is %+v", d)
	}
	if s := all["snow"]; s.Error == "" || s.SignsTime || s.Keys == nil {
		t.Errorf("snow is %+v", s)
	}
}

func TestSourceCheckObject(t *testing.T) {
	b := newBench(t)
	for _, c := range []struct {
		at   string
		code int
		want func(checkObject) bool
	}{
		{at, 0, func(o checkObject) bool {
			return o.Code == 202 && o.Word == "queued" && len(o.Keys) == 1 && o.Keys[0].ID == "0" && len(o.Events) == 1 && o.Events[0].Ticket == "CHG0031337" && len(o.Events[0].Changes) == 1
		}},
		{"2026-11-23T11:00:05Z", 1, func(o checkObject) bool {
			return o.Code == 401 && o.Refusal == "outside_tolerance" && strings.HasPrefix(o.Advice, "rightly signed") && len(o.Events) == 0
		}},
	} {
		got := b.check("slack", b.request("slack", cloudEvent(t, "acme")), "--at", c.at, "--output", "json")
		var o checkObject
		if err := json.Unmarshal([]byte(got.out), &o); err != nil || got.code != c.code || !c.want(o) {
			t.Errorf("at %s: %d, %v, %s%s", c.at, got.code, err, got.out, got.stderr)
		}
	}
}
