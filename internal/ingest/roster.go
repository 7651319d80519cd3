package ingest

import (
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

// newRoster compiles every source, and reports all that is wrong at once. It
// takes over what the roster before it, if there is one, has of a source that is
// still the same.
func newRoster(sources []Source, tenants map[string]bool, old *roster) (*roster, error) {
	r := &roster{tenants: tenants, byName: map[string]*sender{}, nobody: newNobody()}
	var errs []error
	for _, c := range slices.SortedStableFunc(slices.Values(sources), func(a, b Source) int { return strings.Compare(a.Name, b.Name) }) {
		if err := r.add(c, old); err != nil {
			errs = append(errs, fmt.Errorf("source %q: %w", c.Name, err))
		}
	}
	for _, c := range Clashes(sources) {
		errs = append(errs, c)
	}
	if err := errors.Join(errs...); err != nil {
		r.close()
		return nil, err
	}
	return r, nil
}

func (r *roster) add(c Source, old *roster) error {
	if r.byName[c.Name] != nil {
		return errors.New("name: another source has it")
	}
	var was *sender
	if old != nil {
		was = old.byName[c.Name]
	}
	snd, err := newSender(c, r.tenants, was)
	if err != nil {
		return err
	}
	r.byName[c.Name] = snd
	if c.Kind == "cloudevents" {
		r.open = append(r.open, snd)
	}
	return nil
}

// named is the sender of that name, or nobody.
func (r *roster) named(name string) []*sender {
	if snd := r.byName[name]; snd != nil {
		return []*sender{snd}
	}
	return nil
}

func (r *roster) close() {
	for _, snd := range r.byName {
		snd.verifier.release()
	}
	r.nobody.Close()
}
