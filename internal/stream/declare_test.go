package stream

import (
	"testing"

	"changerelay/internal/natstest"
)

// A limit that an operator has set stays when a service starts, and can be raised
// while it runs: it is what the metrics, doctor and an alert watch.
func TestAnOperatorsLimitStays(t *testing.T) {
	url := natstest.Server(t).URL()
	s := open(t, url, Options{})
	limit := func(name string, want int64) {
		t.Helper()
		st, err := s.js.Stream(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		if got := st.CachedInfo().Config.MaxBytes; got != want {
			t.Errorf("%s may have %d bytes, want %d", name, got, want)
		}
	}
	for _, name := range []string{Changes, Dead} {
		limit(name, -1)
		st, err := s.js.Stream(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		c := st.CachedInfo().Config
		c.MaxBytes = 100 << 20
		if _, err := s.js.UpdateStream(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		open(t, url, Options{})
		limit(name, 100<<20)
	}
	open(t, url, Options{MaxBytes: 50 << 20})
	limit(Changes, 50<<20)
}
