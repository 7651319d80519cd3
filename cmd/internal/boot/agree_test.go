package boot

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"changerelay/internal/events"
	"changerelay/internal/graph"
	"changerelay/internal/ingest"
	"changerelay/internal/ingest/verify"
	"changerelay/internal/ledger"
	"changerelay/internal/stream"
)

// Words and defaults that a package below has too are the same ones.
func TestAgreesWithTheFloorsBelow(t *testing.T) {
	want := slices.Sorted(maps.Keys(graph.Clouds))
	if got := slices.Sorted(slices.Values(clouds[:len(clouds)-1])); !slices.Equal(got, want) {
		t.Errorf("clouds = %v, graph has %v", got, want)
	}
	if got := defaults().NATS.Retention; got != stream.DefaultRetention {
		t.Errorf("retention = %v, stream has %v", got, stream.DefaultRetention)
	}
	for name, lists := range map[string][2][]string{
		"intents":    {intents, {string(events.Remove), string(events.Restore), string(events.RestoreAll)}},
		"item types": {itemTypes, texts(events.ItemTypes)},
	} {
		if !slices.Equal(lists[0], lists[1]) {
			t.Errorf("%s = %v, events has %v", name, lists[0], lists[1])
		}
	}
	d := defaults().Worker.Timing
	got := ledger.Timing{Fresh: d.Fresh, Lag: d.Lag, Hold: d.Hold, Settle: d.Settle, Skew: d.Skew, Budget: d.Budget}
	if got != ledger.DefaultTiming {
		t.Errorf("timing = %+v, ledger has %+v", got, ledger.DefaultTiming)
	}
}

func texts[T ~string](list []T) (out []string) {
	for _, w := range list {
		out = append(out, string(w))
	}
	return out
}

// What verify wants for a word that it does not know are the schema's words.
func TestSignatureWords(t *testing.T) {
	for key, list := range signatureWords {
		_, err := Parse("relay.yaml", []byte(desk+"    signature: {preset: github, "+key+": zzz}\n"))
		sameWords(t, key, err, list)
	}
	_, err := verify.New(verify.Config{HTTPSignature: &verify.HTTPSignature{Keys: []verify.HTTPKey{{Key: verify.Key{ID: "k", Secret: "s"}, Algorithm: "zzz"}}}})
	sameWords(t, "algorithm of a key", err, httpAlgorithms)
}

// sameWords reads the words out of "want a, b or c".
func sameWords(t *testing.T, what string, err error, list []string) {
	t.Helper()
	if err == nil {
		t.Errorf("%s takes any word", what)
		return
	}
	line, _, _ := strings.Cut(err.Error(), "\n")
	_, want, _ := strings.Cut(line, "want ")
	got := strings.Split(strings.ReplaceAll(want, " or ", ", "), ", ")
	if slices.Sort(got); !slices.Equal(got, slices.Sorted(slices.Values(list))) {
		t.Errorf("%s: verify has %v, the schema %v", what, got, list)
	}
}

// What is checked here of a handshake, ingest takes, and what is not, it refuses.
func TestHandshakesAreIngests(t *testing.T) {
	for kind, good := range map[string]bool{"cloudevents": true, "eventgrid": true, "graph": true, "slack": true, "zzz": false} {
		if slices.Contains(handshakes, kind) != good {
			t.Errorf("%s is not in both lists", kind)
		}
		text := desk + "    handshake: {kind: " + kind + ", allow: [a]}\n"
		if kind == "graph" || kind == "slack" {
			text = desk + "    handshake: {kind: " + kind + "}\n"
		}
		if _, err := Parse("relay.yaml", []byte(text)); (err == nil) != good {
			t.Errorf("%s here: %v", kind, err)
		}
		h := ingest.Handshake{Kind: kind, Allow: []string{"a"}}
		if kind == "graph" || kind == "slack" {
			h.Allow = nil
		}
		if err := examine(h); (err == nil) != good {
			t.Errorf("%s there: %v", kind, err)
		}
	}
}

// examine has ingest look at a source with a handshake.
func examine(h ingest.Handshake) error {
	_, err := ingest.Examine(ingest.Source{
		Name: "a", Kind: "cloudevents", Tenants: []string{"acme"}, Handshake: h,
		Checks: verify.Config{Header: &verify.Header{Name: "X-T", Keys: []verify.Key{{Secret: password}}}},
	}, []string{"acme"}, verify.Request{}, time.Now())
	return err
}
