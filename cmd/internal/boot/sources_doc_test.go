package boot_test

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"changerelay/internal/ingest"
	"changerelay/internal/ingest/source"
)

const sourcesManual = "../../../docs/sources.md"

// arrived is when the manual's requests arrive, and are signed.
var arrived = time.Date(2026, 11, 23, 10, 25, 0, 0, time.UTC)

// A block is one of the manual's snippets. What stands behind its language is
// for this test, and not shown:
//
//	yaml                a configuration; its sources are known in all blocks
//	json source=NAME    a body that this source sends, as do text and templates of any form
//	http source=NAME    a request of it, without what proves who sends it
//	javascript source=NAME    a script that sends a request
//	text answer         what comes of the request before it
//	sh                  commands
type block struct {
	line   int
	lang   string
	source string
	answer bool
	text   string
}

// snippets takes the manual apart.
func snippets(t *testing.T) (list []block) {
	t.Helper()
	data, err := os.ReadFile(sourcesManual)
	if err != nil {
		t.Fatal(err)
	}
	var b *block
	for i, line := range strings.Split(string(data), "\n") {
		switch fence, isFence := strings.CutPrefix(line, "```"); {
		case isFence && b == nil:
			b = &block{line: i + 2}
			b.label(t, fence)
		case isFence:
			list, b = append(list, *b), nil
		case b != nil:
			b.text += line + "\n"
		case strings.HasPrefix(strings.TrimSpace(line), "```"):
			t.Errorf("%s:%d: an indented block is not run", sourcesManual, i+1)
		}
	}
	if b != nil {
		t.Fatalf("%s:%d: the block has no end", sourcesManual, b.line)
	}
	return list
}

// label reads what stands behind a fence.
func (b *block) label(t *testing.T, info string) {
	for i, word := range strings.Fields(info) {
		name, isSource := strings.CutPrefix(word, "source=")
		switch {
		case i == 0:
			b.lang = word
		case isSource:
			b.source = name
		case word == "answer":
			b.answer = true
		default:
			t.Errorf("%s:%d: %q means nothing", sourcesManual, b.line-1, word)
		}
	}
}

// Every snippet of the manual is run: configurations are loaded, requests are
// signed and examined, scripts send theirs, commands are parsed.
func TestSourcesManual(t *testing.T) {
	list, d := snippets(t), newDesk(t)
	for _, b := range list {
		if b.lang == "yaml" {
			t.Run(fmt.Sprint("line ", b.line), func(t *testing.T) { d.configure(t, b) })
		}
	}
	sent := map[string]bool{}
	for i, b := range list {
		var next block
		if i+1 < len(list) {
			next = list[i+1]
		}
		sent[b.source] = true
		t.Run(fmt.Sprint("line ", b.line), func(t *testing.T) { d.run(t, b, next) })
		if next.answer && b.source == "" {
			t.Errorf("%s:%d: is no answer: there is no request before it", sourcesManual, next.line)
		}
	}
	d.everySource(t, sent)
}

// run runs a block that is no configuration; next may be its answer.
func (d *desk) run(t *testing.T, b, next block) {
	switch {
	case b.lang == "yaml" && b.source == "" || b.answer:
	case b.lang == "sh" && b.source == "":
		checkShell(t, b)
	case b.source == "" || !slices.Contains([]string{"json", "text", "http", "javascript"}, b.lang):
		t.Errorf("nothing is known to do with a block of %q", b.lang)
	case d.sources[b.source].Name == "":
		t.Errorf("the manual configures no source %s", b.source)
	case !next.answer:
		t.Error("its answer does not follow it")
	default:
		r := d.send(t, b)
		if got := answer(r); got != next.text {
			t.Errorf("the manual's answer is\n%s\nit is\n%s", next.text, got)
		}
		d.answered[d.sources[b.source].Kind] = append(d.answered[d.sources[b.source].Kind], r.Code)
	}
}

// everySource checks that nothing is configured in the manual and not shown at
// work, and that no kind and no handshake is left out.
func (d *desk) everySource(t *testing.T, sent map[string]bool) {
	shaken := map[string]bool{}
	for name, s := range d.sources {
		shaken[s.Handshake.Kind] = true
		if !sent[name] {
			t.Errorf("the manual has no request of its source %s", name)
		}
	}
	for _, kind := range source.Kinds() {
		if !slices.Contains(d.answered[kind], 202) {
			t.Errorf("the manual has no request of kind %s that is taken", kind)
		}
	}
	for _, kind := range []string{"cloudevents", "eventgrid", "graph", "slack"} {
		if !shaken[kind] {
			t.Errorf("the manual has no source with the handshake %s", kind)
		}
	}
}

// send makes the request of a block, proves it and examines it.
func (d *desk) send(t *testing.T, b block) ingest.Report {
	t.Helper()
	s := d.sources[b.source]
	if b.lang == "javascript" {
		return d.runScript(t, s, b.text)
	}
	q := parse(t, s.Name, b)
	asks := s.Handshake.Kind == "graph" && len(q.Body) == 0 // before there is anything to prove
	if r := examine(t, s, q); r.Refusal == "" && !asks {
		t.Errorf("without what proves its sender it is answered %d %s", r.Code, r.Word)
	}
	if left := regexp.MustCompile(`\{\{|#\{`).Find(q.Body); left != nil {
		t.Errorf("has a placeholder without a sample value")
	}
	d.prove(t, &q, s)
	return examine(t, s, q)
}

// answer is a report as the manual writes it.
func answer(r ingest.Report) string {
	b := &strings.Builder{}
	fmt.Fprintf(b, "%d %s", r.Code, r.Word)
	switch {
	case r.Refusal != "":
		fmt.Fprintf(b, " (in the log: %s)", r.Refusal)
	case r.Ignored != "":
		fmt.Fprintf(b, ": %s", r.Ignored)
	case r.Invalid != nil:
		fmt.Fprintf(b, ": %s", strings.TrimPrefix(r.Invalid.Field+": "+r.Invalid.Reason, ": "))
	case r.Handshake != "":
		fmt.Fprintf(b, ": %s", r.Handshake)
	case r.Problem != "":
		fmt.Fprintf(b, ": %s", r.Problem)
	}
	b.WriteString("\n")
	for _, e := range r.Events {
		fmt.Fprintf(b, "%s for tenant %s, decided %s, event id %s\n", e.Ticket, e.Tenant, e.Time.UTC().Format(time.RFC3339Nano), e.ID)
		for _, c := range e.Changes {
			fmt.Fprintf(b, "  %s %s %s on %s\n", c.Intent, c.Item.Type, c.Item.ID, e.Device)
		}
	}
	return b.String()
}
