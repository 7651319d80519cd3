package worker

import (
	"flag"
	"fmt"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"changerelay/internal/graph"
	"changerelay/internal/graphsim"
)

var rewrite = flag.Bool("update", false, "write the table of faults in docs/protocol.md anew")

const protocolDoc = "../../docs/protocol.md"

var faultTable = regexp.MustCompile(`(?s)(<!-- faults: [^\n]*-->\n).*?(<!-- end of faults -->)`)

// TestFaultTable compares the table in docs/protocol.md with the rows that
// TestFaultMatrix tries.
func TestFaultTable(t *testing.T) {
	b, err := os.ReadFile(protocolDoc)
	if err != nil {
		t.Fatal(err)
	}
	doc := string(b)
	if !faultTable.MatchString(doc) {
		t.Fatal("docs/protocol.md has no place for the faults")
	}
	want := faultTable.ReplaceAllString(doc, "${1}\n"+strings.ReplaceAll(table(), "$", "$$")+"\n${2}")
	if doc == want {
		return
	}
	if !*rewrite {
		t.Fatal("the table of faults in docs/protocol.md is old: go test ./internal/worker -run TestFaultTable -update")
	}
	if err := os.WriteFile(protocolDoc, []byte(want), 0o644); err != nil {
		t.Fatal(err)
	}
}

func table() string {
	var b strings.Builder
	b.WriteString("| fault | when | kind | what the relay does | how it ends |\n| --- | --- | --- | --- | --- |\n")
	for _, r := range rows() {
		kind := "–"
		if r.kind != "" {
			kind = "`" + r.kind + "`"
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n", r.fault, r.when(), kind, r.does, r.ends.text)
	}
	return b.String()
}

// when is the table's second column.
func (r row) when() string {
	word := map[string]string{"post": "call", "get": "read", "token": "token"}[r.op]
	switch {
	case r.hows[0].own(), len(r.at) > 1:
		return word
	case r.at[0] == graphsim.AfterApply:
		return word + ", applied"
	}
	return word + ", not applied"
}

// times are the fields of a fault that say when it strikes, not what it does.
var times = []string{"Op", "Tenant", "App", "Device", "After", "For", "Chance", "Skip", "Times", "Point", "Hook"}

// TestEveryFaultHasARow wants all that the simulator can do in the table.
func TestEveryFaultHasARow(t *testing.T) {
	used := map[string]bool{}
	for _, r := range rows() {
		used["kind "+r.kind] = true
		for _, h := range r.hows {
			for _, p := range r.at {
				used[fmt.Sprint(r.op, " at ", p)] = true
			}
			f := reflect.ValueOf(h.fault)
			for i := range f.NumField() {
				if !f.Field(i).IsZero() {
					used["fault "+f.Type().Field(i).Name] = true
				}
			}
			used[r.op+" form "+h.fault.Form] = true
			for _, k := range turned(h) {
				used[k] = true
			}
		}
	}
	for _, name := range expected(t) {
		if !used[name] {
			t.Errorf("no row of the table has %s", name)
		}
	}
}

// turned are the knobs that a how sets, as "knob Name" and "knob Name value".
func turned(h how) (names []string) {
	if h.knobs == nil {
		return nil
	}
	from := polite()
	is := reflect.ValueOf(&from).Elem()
	for i := range is.NumField() { // so that a word that is set to its default shows
		if is.Field(i).Kind() == reflect.String {
			is.Field(i).SetString("no such word")
		}
	}
	to := from
	h.knobs(&to)
	for i := range is.NumField() {
		if now := reflect.ValueOf(to).Field(i); !now.Equal(is.Field(i)) {
			name := is.Type().Field(i).Name
			names = append(names, "knob "+name, fmt.Sprint("knob ", name, " ", now))
		}
	}
	return names
}

// expected is what the simulator has.
func expected(t *testing.T) (names []string) {
	for _, k := range []graph.Kind{"ok", graph.Refused, graph.Gone, graph.Denied, graph.ApprovalRequired, graph.Throttled, graph.Unavailable, graph.InDoubt} {
		names = append(names, "kind "+string(k))
	}
	for _, op := range []string{"post", "get", "token"} {
		for _, p := range both {
			names = append(names, fmt.Sprint(op, " at ", p))
		}
		for _, f := range graphsim.Forms {
			if op != "token" || f != "nested" && f != "wrapped" { // shapes of Intune's
				names = append(names, op+" form "+f)
			}
		}
	}
	fault := reflect.TypeFor[graphsim.Fault]()
	for i := range fault.NumField() {
		if name := fault.Field(i).Name; !slices.Contains(times, name) {
			names = append(names, "fault "+name)
		}
	}
	return append(names, knobNames(t)...)
}

// knobNames are all knobs, and the words of those that are words.
func knobNames(t *testing.T) (names []string) {
	knobs := reflect.TypeFor[graphsim.Knobs]()
	bad := graphsim.DefaultKnobs()
	for i := range knobs.NumField() {
		names = append(names, "knob "+knobs.Field(i).Name)
		if f := reflect.ValueOf(&bad).Elem().Field(i); f.Kind() == reflect.String {
			f.SetString("no such word")
		}
	}
	bad.JustificationStatus = 1
	words := regexp.MustCompile(`(\w+) must be one of: (.*)`).FindAllStringSubmatch(bad.Check().Error(), -1)
	if len(words) < 7 {
		t.Fatalf("the simulator names the words of %d knobs: %v", len(words), bad.Check())
	}
	for _, w := range words {
		for word := range strings.SplitSeq(w[2], ", ") {
			names = append(names, "knob "+w[1]+" "+word)
		}
	}
	return names
}
