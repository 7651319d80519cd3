package quota

import (
	"reflect"
	"strings"
	"testing"
	"time"
)

var rich = Cell{
	Next: later(1234567891), Seen: later(2), Until: later(time.Minute), Since: later(-time.Second), Low: 0.53125, Count: 3,
}

func TestStoredRoundTrip(t *testing.T) {
	used, _ := Cell{}.Lease(time.Now(), DefaultWrite, 3)
	for _, c := range []Cell{{}, rich, used, used.Throttled(time.Now(), DefaultWrite, 0, 0.3)} {
		b, err := c.encode()
		if err != nil {
			t.Fatal(err)
		}
		if got, err := decode(b); err != nil || got != c {
			t.Errorf("%v\ngot  %+v\nwant %+v\n%s", err, got, c, b)
		}
	}
	for i := range reflect.TypeFor[Cell]().NumField() {
		if reflect.ValueOf(rich).Field(i).IsZero() {
			t.Errorf("the test's cell has no %s", reflect.TypeFor[Cell]().Field(i).Name)
		}
	}
}

func TestStoredFormOfVersion1(t *testing.T) {
	const form = `{"v":1,"next":"2026-03-01T09:00:01.234567891Z","seen":"2026-03-01T09:00:00.000000002Z",` +
		`"until":"2026-03-01T09:01:00Z","since":"2026-03-01T08:59:59Z","low":0.53125,"count":3}`
	if b, err := rich.encode(); err != nil || string(b) != form {
		t.Errorf("the stored form has changed: is it a new version?\n%s, %v", b, err)
	}
	later := strings.Replace(form, `"low"`, `"new":{"x":[1]},"low"`, 1)
	if c, err := decode([]byte(later)); err != nil || c != rich {
		t.Errorf("a field of a later program: %+v, %v", c, err)
	}
}

func TestStoredRefuses(t *testing.T) {
	for _, c := range []struct{ form, says string }{
		{`{"v":2,"next":17}`, "version 2"},
		{`{}`, "version 0"},
		{`{"v":1`, "reading stored cell"},
		{``, "reading stored cell"},
		{`[]`, "reading stored cell"},
		{`{"v":1,"next":"soon"}`, "reading stored cell"},
		{`{"v":1,"count":0.5}`, "reading stored cell"},
	} {
		if got, err := decode([]byte(c.form)); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %+v, %v; want it to say %q", c.form, got, err, c.says)
		}
	}
}

// Whatever is stored, leases keep to their bounds, nobody waits for ever, and what
// is made of it can be stored.
func FuzzDecode(f *testing.F) {
	b, err := rich.encode()
	if err != nil {
		f.Fatal(err)
	}
	for _, s := range []string{
		string(b), `{"v":1}`, `{"v":9}`, `{"v":1,"low":-1e300,"count":-5}`, `{"v":1,"low":1e300,"count":9223372036854775807}`,
		`{"v":1,"next":"9999-12-31T23:59:59Z","seen":"9999-12-31T23:59:59Z","until":"9999-12-31T23:59:59Z","since":"9999-12-31T23:59:59Z"}`,
		`{"v":1,"next":"0000-01-01T00:00:00Z","until":"9999-12-31T23:59:59Z","since":"2026-03-01T09:00:00+23:59","low":5e-324}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := decode(b)
		if err != nil {
			return
		}
		l := DefaultWrite
		if len(b)%2 == 0 {
			c = c.Throttled(t0, l, 0, 0.5)
		}
		ready := c.Ready(t0, l)
		if most := MaxPause + 2*Skew + l.gap(leastShare); ready.After(later(most)) {
			t.Fatalf("nobody may call for %v\n%s", ready.Sub(t0), b)
		}
		if r := c.Rate(ready.Add(Horizon), l); r < l.Rate*leastShare || r > l.Rate {
			t.Fatalf("%v calls/s\n%s", r, b)
		}
		c, times := c.Lease(ready, l, 100)
		if len(times) == 0 || len(times) > 100 || times[0].Before(ready) || times[len(times)-1].After(ready.Add(Horizon)) {
			t.Fatalf("ready at %v, leased %v\n%s", ready, times, b)
		}
		e, err := c.encode()
		if err != nil {
			t.Fatal(err)
		}
		if again, err := decode(e); err != nil || again != c {
			t.Fatalf("%+v, %v\n%s", again, err, e)
		}
	})
}
