package verify

import (
	"encoding/json"
	"runtime"
	"slices"
	"strings"
	"testing"

	"changerelay/internal/events"
)

// hostile bodies are large, and as expensive as 256 KiB can be.
func hostile() map[string]string {
	const size = 256 << 10
	fill := func(head, item, tail string) string {
		return head + strings.Repeat(item, (size-len(head)-len(tail))/len(item)) + tail
	}
	names := func() string {
		var b strings.Builder
		for i := 0; b.Len() < 1000; i++ {
			b.WriteString(`"` + string(rune('a'+i%26)) + strings.Repeat("x", i/26) + `":0,`)
		}
		return "{" + b.String() + `"end":0},`
	}()
	return map[string]string{
		"objects":       fill(`{"value":[`, `{"":0},`, `{"":0}]}`),
		"empty objects": fill(`{"value":[`, `{},`, `{}]}`),
		"other states":  fill(`{"value":[`, `{"clientState":"a"},{"clientState":"b"},`, `{}]}`),
		"numbers":       fill(`{"value":[`, `0,`, `0]}`),
		"arrays":        fill(`{"MessageAttributes":[`, `[],`, `[]]}`),
		"deep":          fill(`{"MessageAttributes":[`, strings.Repeat("[", 14)+strings.Repeat("]", 14)+",", `[]]}`),
		"many names":    fill(`{"MessageAttributes":[`, names, `{}]}`),
		"escaped names": fill(`{"MessageAttributes":[`, `{"\u0061":0},`, `{}]}`),
		"fields":        fill(`{`, `"a":"b",`, `"c":"d"}`),
		"escapes":       fill(`{"Message":"`, `\u0061`, `"}`),
		"no end":        fill("", "[", ""),
	}
}

// A body that nobody vouches for costs little more memory than it has bytes:
// what it allocates, all in all, bounds what it holds.
func TestHostileBodiesCostLittle(t *testing.T) {
	a := newAmazon(t)
	message, err := newSNS(SNS{keysOf(a.pem), []string{topic}})
	built(t, message, err)
	state, err := newClientState(ClientState{keysOf(token)}, MinSecret)
	built(t, state, err)
	for name, body := range hostile() {
		for _, k := range []check{message, state} {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, refusal := k.verify(&Request{Body: []byte(body)}, clock)
			runtime.ReadMemStats(&after)
			if times := (after.TotalAlloc - before.TotalAlloc) / uint64(len(body)); refusal == "" || times > 30 && name == "escaped names" || times > 4 && name != "escaped names" {
				t.Errorf("%s: %s: got %q, and %d times its size allocated", name, k.about().name, refusal, times)
			}
		}
	}
}

func BenchmarkHostile(b *testing.B) {
	state, err := newClientState(ClientState{keysOf(token)}, MinSecret)
	if err != nil {
		b.Fatal(err)
	}
	for name, body := range hostile() {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_, _ = state.verify(&Request{Body: []byte(body)}, clock)
			}
		})
	}
}

// A walk takes what package events takes, and for the same texts.
func FuzzWalk(f *testing.F) {
	for _, body := range clientStateBodies {
		f.Add([]byte(body))
	}
	for _, c := range vectors(f) {
		f.Add(c.body(f))
	}
	for _, body := range []string{`{"a":{"b":[1,-2.5e+3,null,true,"\""]},"c":"\ud800"}`, `{"a":1,"\u0061":2}`, ` [ { } , [ ] , "" ] `, `"a"`, `1`, `{"":1,"":2}`} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		if len(body) > events.MaxValues {
			return // it may hold more than package events counts
		}
		want, err := events.JSON(body, "body", maxNesting)
		w, valid := newWalk(body)
		got, ok := any(nil), false
		if valid {
			got, ok = w.tree()
		}
		if ok != (err == nil) {
			t.Fatalf("%q: ok is %t, and package events says %v", body, ok, err)
		}
		if ok && !same(got, want) {
			t.Errorf("%q: got %v, want %v", body, got, want)
		}
	})
}

// tree reads a value as package events does, by the steps.
func (w *walk) tree() (v any, ok bool) {
	switch w.next() {
	case '{':
		m := map[string]any{}
		return m, w.object(func(name string) (ok bool) { m[name], ok = w.tree(); return ok })
	case '[':
		a := []any{}
		ok = w.array(func() bool { v, ok := w.tree(); a = append(a, v); return ok })
		return a, ok
	case '"':
		text, ok := w.text()
		return string(text), ok
	}
	start := w.at
	ok = w.skip()
	return literal(w.data[start:w.at]), ok
}

// A literal is a number, true, false or null as it is written.
type literal string

func same(got, want any) bool {
	switch got := got.(type) {
	case map[string]any:
		m, ok := want.(map[string]any)
		if !ok || len(m) != len(got) {
			return false
		}
		for name, v := range got {
			if other, there := m[name]; !there || !same(v, other) {
				return false
			}
		}
		return true
	case []any:
		a, ok := want.([]any)
		return ok && slices.EqualFunc(got, a, same)
	case literal:
		b, err := json.Marshal(want)
		return err == nil && string(b) == string(got)
	}
	return got == want
}
