package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"changerelay/cmd/internal/boot"
	"changerelay/internal/ingest"
	"changerelay/internal/ingest/verify"
)

// sources are the commands about senders of webhooks.
type sources struct {
	List  sourceList  `cmd:"" help:"List the configured sources, and how long their keys are good."`
	Check sourceCheck `cmd:"" help:"Say what the relay would make of a captured request."`
}

func (sources) Help() string {
	return `Examples:

    relayctl source list
    relayctl source check --source snow --request capture.txt
`
}

// sourceList lists the sources of the configuration.
type sourceList struct {
	boot.Flags
	form
}

func (sourceList) Help() string {
	return `It reads the configuration and its secrets. Nobody is asked but the issuer of a
bearer's tokens, for its keys. A source whose secrets cannot be read is listed
without its checks; what is wrong follows, and the exit code is 1.

Examples:

    relayctl source list
    relayctl source list --config ./changerelay.yaml
    relayctl source list --output json | jq -r 'select(.signs_time | not) | .source'
`
}

// Run is called by the command line's parser.
func (l sourceList) Run(_ context.Context, out io.Writer) error {
	c, err := l.Load()
	if err != nil {
		return err
	}
	if l.json() {
		return listObjects(out, c, time.Now())
	}
	if len(c.Sources) == 0 {
		_, err := fmt.Fprintln(out, "no sources")
		return err
	}
	t, now := newTable(out), time.Now()
	var broken []error
	for i, name := range slices.Sorted(maps.Keys(c.Sources)) {
		if i > 0 {
			t.gap()
		}
		src, err := c.IngestSource(name)
		if err != nil {
			broken = append(broken, err)
		}
		listSource(t, name, c.Sources[name].Kind, src, now)
	}
	return errors.Join(append([]error{t.flush()}, broken...)...)
}

// listSource says what a source is; src is empty if its secrets cannot be read.
func listSource(t *table, name, kind string, src ingest.Source, now time.Time) {
	t.row("source", name)
	t.row("kind", kind)
	t.row("path", strings.Join(paths(kind, name), ", "))
	v, err := verify.New(src.Checks)
	if err != nil {
		t.row("checks", "cannot be made: see below")
		return
	}
	defer v.Close()
	t.row("checks", strings.Join(v.Checks(), ", "))
	keys := "keys"
	for _, r := range rings(src.Checks) {
		for _, k := range r.keys {
			t.row(keys, r.check+" "+k.ID+": "+validity(k, now))
			keys = ""
		}
	}
	t.row("replay", protection(v))
	t.row("tenants", strings.Join(src.Tenants, ", "))
	t.row("scope", scope(src))
}

// paths are where the source's requests go.
func paths(kind, name string) []string {
	if kind == "cloudevents" {
		return []string{"/v1/changes", "/v1/hooks/" + name}
	}
	return []string{"/v1/hooks/" + name}
}

func protection(v *verify.Verifier) string {
	if v.SignsTime() {
		return "protected: the time is signed"
	}
	return "no replay protection: only the ids of its events keep a captured request from counting twice"
}

// scope is what a source may ask for, tenants aside.
func scope(s ingest.Source) string {
	parts := []string{
		list("intents", "all intents", s.Intents), list("item types", "all item types", s.ItemTypes),
		list("from", "from any address", s.AllowFrom),
	}
	return strings.Join(parts, "; ")
}

func list[T any](name, all string, values []T) string {
	if values == nil {
		return all
	}
	return name + " " + strings.Trim(fmt.Sprint(values), "[]")
}
