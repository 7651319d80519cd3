package ingest

import (
	"fmt"

	"changerelay/internal/metrics"
)

// Reload replaces the sources and the configured tenants. Only if all of them are good, they are in force
// from the next request on; requests in progress keep the old ones, which are
// closed when the last of these is answered. On an error, which names the
// source and the field, nothing has changed.
//
// A limiter keeps its state while its source keeps its rate, and checks keep
// theirs, such as an issuer's keys, while they are the same.
func (s *Server) Reload(sources []Source, tenants []string) error {
	s.reloads.Lock()
	defer s.reloads.Unlock()
	next, err := newRoster(sources, set(tenants), s.roster) // only Reload writes it
	if err != nil {
		return fmt.Errorf("reloading sources: %w", err)
	}
	s.metrics.SetSources(next.labels())
	s.mu.Lock()
	old := s.roster
	s.roster, old.retired = next, true
	idle := old.users == 0
	s.mu.Unlock()
	if idle {
		old.close()
	}
	return nil
}

// hold returns the roster in force, which stays open until drop.
func (s *Server) hold() *roster {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.roster.users++
	return s.roster
}

func (s *Server) drop(r *roster) {
	s.mu.Lock()
	r.users--
	last := r.retired && r.users == 0
	s.mu.Unlock()
	if last {
		r.close()
	}
}

// Close ends what the sources' checks do in the background. No request may come
// after it.
func (s *Server) Close() {
	s.waits.end()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.roster.close()
}

// labels are the sources in metrics.
func (r *roster) labels() (list []metrics.SourceLabels) {
	for name, snd := range r.byName {
		l := metrics.SourceLabels{Name: name, ReplayProtected: snd.verifier.SignsTime()}
		ends := snd.verifier.Ends()
		for _, k := range snd.verifier.Keys() {
			l.Keys = append(l.Keys, metrics.KeyLabels{Check: k.Check, Key: k.Key, Ends: ends[k]})
		}
		list = append(list, l)
	}
	return list
}
