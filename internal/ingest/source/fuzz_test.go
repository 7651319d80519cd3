package source

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"changerelay/internal/events"
)

// FuzzDecoders gives a stranger's body to decoders of every kind but mapped, which
// is slow and has FuzzMapped, as cases configure them. They return events that survive their own parser and are of
// their source and tenant, or an error of a known kind, and the same each time.
func FuzzDecoders(f *testing.F) {
	now := time.Date(2026, 11, 23, 11, 0, 0, 0, time.UTC)
	all := slices.DeleteFunc(cases(f), func(c testCase) bool { return c.kind == "mapped" })
	for _, c := range all {
		f.Add(c.delivery.Body)
	}
	decoders := configured(all)
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, c := range decoders {
			name, v := c.file, c.delivery
			v.Body, v.Now = bytes.Clone(body), now
			got, err := c.decoder.Decode(v)
			v.Body = body
			again, errAgain := c.decoder.Decode(v)
			if !reflect.DeepEqual(got, again) || !reflect.DeepEqual(err, errAgain) {
				t.Fatalf("%s: got %v, %v and then %v, %v", name, got, err, again, errAgain)
			}
			if err == nil && len(got.Events) == 0 {
				t.Fatalf("%s: neither events nor an error", name)
			}
			if err != nil && !errors.As(err, new(*Ignored)) && !errors.As(err, new(*events.InvalidError)) {
				t.Fatalf("%s: error of an unknown kind: %v", name, err)
			}
			for _, e := range got.Events {
				c.checkEvent(t, e, now)
			}
		}
	})
}

// configured keeps cases of different configs: six of a kind, since some kinds
// have dozens, and a slow fuzz target finds little.
func configured(all []testCase) (some []testCase) {
	seen, kept := map[string]bool{}, map[string]int{}
	for _, c := range all {
		name := fmt.Sprint(c.kind, c.config)
		if !seen[name] && kept[c.kind] < 6 {
			some = append(some, c)
			kept[c.kind]++
		}
		seen[name] = true
	}
	return some
}

// checkEvent checks what holds for every event of a case's source.
func (c testCase) checkEvent(t *testing.T, e events.Event, now time.Time) {
	parsed, err := events.Parse(e.Encode(), now)
	if err != nil || !reflect.DeepEqual(parsed, e) {
		t.Fatalf("%+v is %+v after a round trip, %v", e, parsed, err)
	}
	if c.kind == "cloudevents" { // names its source and tenant itself; the server has a list of those
		return
	}
	if !strings.HasSuffix(e.Source, "/"+c.config.Name) || c.config.Tenant != "" && c.config.Fields[Tenant]+c.config.Map[Tenant] == "" && e.Tenant != c.config.Tenant {
		t.Fatalf("%+v is not of its source", e)
	}
}
