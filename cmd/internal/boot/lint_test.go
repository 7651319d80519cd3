package boot

import (
	"path/filepath"
	"strings"
	"testing"

	"changerelay/cmd/internal/conform"
)

// acrossKeys are the mistakes that the schema cannot see, and why. It is not to
// grow: what a schema can say, an editor can show.
var acrossKeys = map[string]string{
	"repeated key": "no document", "repeated tenant": "no document", "no YAML": "no document", "two documents": "no document",
	"fraction":        "3.0 is a whole number in JSON",
	"short retention": "compares two keys", "same listen": "compares two keys",
	"settle": "compares two keys", "hold": "compares two keys", "age": "compares two keys", "never good": "compares two keys",
	"certificate without key": "depends on another key", "two credentials": "depends on another key",
	"URL of another cloud":     "depends on another key",
	"certificate without a CA": "depends on another section",
	"unknown tenant":           "names are the file's own",
	"reserved name":            "a pattern cannot leave one out",
	"columns of CloudEvents":   "depends on kind", "servicenow for all": "depends on kind",
	"kind that signs nothing": "depends on kind", "map of a kind": "depends on kind",
	"key's name twice": "compares entries", "no time": "an amount in text",
	"range": "an amount in text", "range with more bits": "an amount in text", "range within IPv6": "an amount in text", "everybody a proxy": "an amount in text",
	"parameter over a preset": "an amount in text",
	"broker's second URL":     "a list in text",
	"header's name":           "the verifier's", "basic's user": "the verifier's", "path": "the decoder's", "expression": "the decoder's",
	"handshake with anybody": "depends on kind", "handshake with somebody": "depends on kind",
}

// The schema refuses what the decoder refuses, but for acrossKeys.
func TestSchemaAgreesOnMistakes(t *testing.T) {
	seen := map[string]bool{}
	for _, m := range append(mistakes, sourceMistakes...) {
		seen[m.name] = true
		_, d := parse("relay.yaml", []byte(m.text))
		reason, across := acrossKeys[m.name]
		if d.body == nil {
			if reason != "no document" {
				t.Errorf("%s: there is no document", m.name)
			}
			continue
		}
		var found []string
		if err := conform.Check(schema, pointers{}.plain(d.body, "", ""), func(at, rule string) { found = append(found, at+": "+rule) }); err != nil {
			t.Fatal(err)
		}
		if across && found != nil {
			t.Errorf("%s: the schema sees it: take it out of acrossKeys\n%q", m.name, found)
		}
		if !across && found == nil {
			t.Errorf("%s: the schema takes\n%s", m.name, m.text)
		}
	}
	for name := range acrossKeys {
		if !seen[name] {
			t.Errorf("there is no mistake %q", name)
		}
	}
}

// What the decoder takes, the schema takes.
func TestSchemaAgreesOnGoodFiles(t *testing.T) {
	for name, text := range goodSources {
		if _, err := lint("relay.yaml", []byte(text), conform.Check); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, text := range []string{"", "nats:\nworker:\n  timing:\ntenants:\nsources:\n", "nats: {url: 'tls://a:4222,nats://b', retention: 1000h30m, token: {env: T}}\n", tenant} {
		if _, err := lint("relay.yaml", []byte(text), conform.Check); err != nil {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// What only the schema sees is said with its place.
func TestLintSaysWhatTheSchemaSees(t *testing.T) {
	_, d := parse("relay.yaml", []byte("log: {level: hunter2}\nnats: {replicas: 1}\ntenants:\n  Acme: {}\n  b: {cloud: usgov, x: 1}\n"))
	d.mistakes = nil // as if it had seen nothing
	if err := d.validate(conform.Check); err != nil {
		t.Fatal(err)
	}
	want := []string{
		`relay.yaml:1:7: log.level: does not fit the schema at "/log/level": enum`,
		`relay.yaml:4:3: tenants.Acme: does not fit the schema at "/tenants/Acme": is no key here`,
		`relay.yaml:5:3: tenants.b.tenant_id: does not fit the schema at "/tenants/b/tenant_id": is required`,
		`relay.yaml:5:21: tenants.b.x: does not fit the schema at "/tenants/b/x": is no key here`,
	}
	got := "\n" + d.mistakes.sorted().Error() + "\n"
	for _, w := range want {
		if !strings.Contains(got, "\n"+w+"\n") {
			t.Errorf("there is no %s in%s", w, got)
		}
	}
	if strings.Contains(got, "hunter2") {
		t.Error("the mistakes show what may be a secret")
	}
}

// What the decoder has said is not said again.
func TestLintSaysItOnce(t *testing.T) {
	for _, m := range append(mistakes, sourceMistakes...) {
		_, d := parse("relay.yaml", []byte(m.text))
		known := len(d.mistakes)
		if err := d.validate(conform.Check); err != nil {
			t.Fatal(err)
		}
		c, decoding := defaults(), newDecoder("relay.yaml")
		if decoding.decode([]byte(m.text), &c); len(decoding.mistakes) > 0 {
			continue // while it cannot be decoded, its values are the schema's alone to judge
		}
		for _, more := range d.mistakes[known:] {
			t.Errorf("%s: %v\nafter\n%s", m.name, more, m.want)
		}
	}
}

// A file that says nothing is no good file, and is told what it lacks.
func TestLintOfTooLittle(t *testing.T) {
	for text, want := range map[string][]string{
		"":                                   {"the file is empty", "nats", "tenants", "sources"},
		"# all is commented out\n":           {"tenants: is missing", "sources"},
		"log: {level: debug}\n":              {"tenants: is missing", "sources"},
		"log: {level: debug}\ntenants: {}\n": {"tenants: is missing"},
	} {
		file := filepath.Join(t.TempDir(), "relay.yaml")
		write(t, file, text)
		_, err := Lint(file, conform.Check)
		for _, w := range want {
			if err == nil || !strings.Contains(err.Error(), w) {
				t.Errorf("%q: %v, want it to say %q", text, err, w)
			}
		}
	}
	file := filepath.Join(t.TempDir(), "relay.yaml")
	write(t, file, tenant)
	if _, err := Lint(file, conform.Check); err != nil {
		t.Errorf("a worker's file: %v", err)
	}
}
