package expression

import (
	"errors"
	"runtime"
	"strings"
	"testing"
	"time"

	"changerelay/internal/events"
	"changerelay/internal/ingest/source"
)

// A bomb is a body and an expression that would take hours, or all memory. Each
// is stopped, and the sender gets an answer that it can act on.
func TestBombs(t *testing.T) {
	ones := `{"l":[` + strings.Repeat("1,", 16_000) + `1],"s":"x"}`
	text := `{"l":[` + strings.Repeat("1,", 9_000) + `1],"s":"` + strings.Repeat("a", 200<<10) + `"}`
	halves := `{"a":"` + strings.Repeat("a", 120<<10) + `","b":"` + strings.Repeat("a", 60<<10) + `b"}`
	double := func(what string, n int) string {
		return "cel.bind(x, " + what + ", " + strings.Repeat("cel.bind(x, x + x, ", n) + "size(x) > 0" + strings.Repeat(")", n+1)
	}
	for name, c := range map[string]struct{ when, body, want string }{
		"nested loops":          {`body.l.all(a, body.l.all(b, body.l.all(c, a == b || c == 1)))`, ones, "too many steps"},
		"nested lists":          {`size(body.l.map(a, body.l.map(b, [a, b]))) > 0`, ones, "too many steps"},
		"comparing all":         {`body.l.all(a, [body, body] != [body, a])`, ones, "too many steps"},
		"looking in all":        {`body.l.all(a, !(2 in body.l))`, ones, "too many steps"},
		"doubling text":         {double("body.s", 100), text, "too many steps"},
		"doubling a list":       {double("body.l", 100), ones, "too many steps"},
		"doubling and looking":  {strings.Replace(double("body.l", 60), "size(x) > 0", "2 in x", 1), ones, "too many steps"},
		"replace by itself":     {`body.s.replace("", body.s) != ""`, text, "replace() would make"},
		"replace, some":         {`body.s.replace("", body.s, 1000) != ""`, text, "replace() would make"},
		"join":                  {`body.l.map(a, body.s).join(",") != ""`, text, "join() would make"},
		"join by it":            {`body.l.map(a, "").join(body.s) != ""`, text, "join() would make"},
		"sizes":                 {`body.l.all(a, size(body.s) > 0)`, text, "too many steps"},
		"sizes of it":           {`body.l.all(a, body.s.size() > 0)`, text, "too many steps"},
		"copies":                {`size(body.l.map(a, body.s + "x")) > 0`, text, "too many steps"},
		"splits":                {`size(body.l.map(a, body.s.split(""))) > 0`, text, "too many steps"},
		"base64":                {`size(body.l.map(a, base64.decode(body.s))) > 0`, text, "too many steps"},
		"base64 out":            {`size(body.l.map(a, base64.encode(bytes(body.s)))) > 0`, text, "too many steps"},
		"substrings":            {`size(body.l.map(a, body.s.substring(1))) > 0`, text, "too many steps"},
		"lower case":            {`size(body.l.map(a, body.s.lowerAscii())) > 0`, text, "too many steps"},
		"json":                  {`size(body.l.map(a, json(body.s))) > 0`, `{"l":[` + strings.Repeat("1,", 30) + `1],"s":"[` + strings.Repeat("[],", 10_000) + `1]"}`, "too many steps"},
		"a pattern":             {`body.l.all(a, !body.s.matches("(a|ab)*c"))`, text, "too many steps"},
		"a sender's pattern":    {`body.a.matches("(" + body.b + "){500}")`, halves, "a value of the body"},
		"swallowed errors":      {`body.l.exists(a, int(body.s) == a || timestamp(body.s) == null) || true`, text, "too many steps"},
		"swallowed missing key": {`body.l.exists(a, body[body.s] == a)`, text, ""},
	} {
		t.Run(name, func(t *testing.T) {
			d, err := source.New("mapped", source.Config{Name: "x", Tenant: "acme", Map: map[string]string{source.When: c.when, source.Ticket: `"T"`, source.Device: `"d"`, source.Items: `"i"`}})
			if err != nil {
				t.Fatal(err)
			}
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			start := time.Now()
			_, err = d.Decode(source.Delivery{Body: []byte(c.body), Now: time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)})
			took := time.Since(start)
			runtime.ReadMemStats(&after)
			if mib := (after.TotalAlloc - before.TotalAlloc) >> 20; mib > 64 || took > 5*source.MaxDecodeTime {
				t.Errorf("took %v and allocated %d MiB", took, mib)
			}
			var bad *events.InvalidError
			if !errors.As(err, &bad) || bad.Field != "map.when" || !strings.Contains(bad.Reason, c.want) {
				t.Errorf("got %v, want %s", err, c.want)
			}
		})
	}
}
