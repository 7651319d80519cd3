package main

import (
	"fmt"
	"slices"
	"strings"

	"changerelay/internal/stream"
)

// streamNames are what findings on streams begin with, beside those of buckets.
var streamNames = []string{stream.Changes, stream.Targets, stream.Devices, stream.Outcomes, stream.Dead, stream.AuditLog}

// A likeness is what findings have in common that say the same of several things.
type likeness struct{ level, kind, detail, remedy string }

// same takes a finding apart: which thing it is of, and what may be said of others.
// The name is empty if it is of nothing that there are several of.
func same(f stream.Finding) (name string, l likeness) {
	first, rest, _ := strings.Cut(f.What, " ")
	var kind string
	switch {
	case slices.Contains(streamNames, first) || strings.HasPrefix(first, "KV_"):
		name, kind = first, strings.TrimSpace("streams "+rest)
	case first == "source" || first == "tenant" || first == "device":
		name, kind = rest, first+"s"
	}
	if name == "" || strings.Contains(name, " ") {
		return "", likeness{}
	}
	general := func(s string) string {
		return strings.ReplaceAll(s, name, strings.ToUpper("<"+strings.TrimSuffix(strings.Fields(kind)[0], "s")+">"))
	}
	return name, likeness{string(f.Level), kind, general(f.Detail), general(f.Remedy)}
}

// grouped says once what is so of several things, where the first of them is. With
// nine streams on one server a page would say the same nine times.
func (fs findings) grouped() findings {
	names := map[likeness][]string{}
	for _, f := range fs {
		if name, l := same(f); name != "" && !slices.Contains(names[l], name) {
			names[l] = append(names[l], name)
		}
	}
	var out findings
	said := map[likeness]bool{}
	for _, f := range fs {
		name, l := same(f)
		switch all := names[l]; {
		case name == "" || len(all) == 1:
			out = append(out, f)
		case !said[l]:
			said[l] = true
			out = append(out, stream.Finding{Level: f.Level, What: l.kind, Detail: enumerate(all) + ": " + l.detail, Remedy: l.remedy})
		}
	}
	return out
}

// enumerate lists names, and says how many more there are than fit a line.
func enumerate(names []string) string {
	if more := len(names) - namesShown; more > 0 {
		return fmt.Sprintf("%s and %d more (--output json has them)", strings.Join(names[:namesShown], ", "), more)
	}
	return strings.Join(names, ", ")
}

// lone corrects what is said of copies if the broker is one server and more are
// configured: it has no place for them.
func lone(fs []stream.Finding) []stream.Finding {
	short := false
	for i, f := range fs {
		if f.Level == stream.Bad && strings.HasSuffix(f.What, " num_replicas") {
			short = true
			fs[i].Remedy = "the broker is a single server: set nats.replicas: 1 if that is meant, or run three and restart a service"
		}
	}
	return slices.DeleteFunc(fs, func(f stream.Finding) bool { return short && f.Level == stream.OK && f.What == "replicas" })
}
