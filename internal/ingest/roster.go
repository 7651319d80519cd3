package ingest

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"changerelay/internal/ingest/verify"
)

// A roster is all senders, compiled. It does not change: a reload replaces it
// whole, and requests in progress keep the one that they began with.
type roster struct {
	tenants map[string]bool // every configured one
	byName  map[string]*sender
	open    []*sender        // those of kind cloudevents, in order of names, tried in turn for /v1/changes
	nobody  *verify.Verifier // stands in for a source that does not exist

	users   int  // requests that hold it; guarded by Server.mu
	retired bool // another has replaced it; guarded by Server.mu
}

// newRoster compiles every source, and reports all that is wrong at once.
func newRoster(sources []Source, tenants map[string]bool) (*roster, error) {
	r := &roster{tenants: tenants, byName: map[string]*sender{}, nobody: newNobody()}
	secrets := claims{}
	var errs []error
	for _, c := range slices.SortedStableFunc(slices.Values(sources), func(a, b Source) int { return strings.Compare(a.Name, b.Name) }) {
		if err := r.add(c, secrets); err != nil {
			errs = append(errs, fmt.Errorf("source %q: %w", c.Name, err))
		}
	}
	if err := errors.Join(errs...); err != nil {
		r.close()
		return nil, err
	}
	return r, nil
}

func (r *roster) add(c Source, secrets claims) error {
	if r.byName[c.Name] != nil {
		return errors.New("name: another source has it")
	}
	snd, err := newSender(c, r.tenants)
	if err != nil {
		return err
	}
	r.byName[c.Name] = snd
	if c.Kind != "cloudevents" {
		return nil
	}
	r.open = append(r.open, snd)
	return secrets.claim(c)
}

// named is the sender of that name, or nobody.
func (r *roster) named(name string) []*sender {
	if snd := r.byName[name]; snd != nil {
		return []*sender{snd}
	}
	return nil
}

// inherit takes over the limiters of senders whose rate is still the same: else
// whoever can have the configuration reloaded could open the gate.
func (r *roster) inherit(old *roster) {
	for name, snd := range r.byName {
		was := old.byName[name]
		if was == nil {
			continue
		}
		snd.shakes = was.shakes
		if cmp.Or(was.Rate, DefaultRate) == cmp.Or(snd.Rate, DefaultRate) {
			snd.requests = was.requests
		}
	}
}

func (r *roster) close() {
	for _, snd := range r.byName {
		snd.verifier.Close()
	}
	r.nobody.Close()
}
