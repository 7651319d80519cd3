package quota

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"changerelay/internal/broker"
)

// A Resumption is a person's word that an application may be called again in its
// tenant: its permission or credential is mended. A worker that has paused it by
// itself ends the pause. A pause after a 429 is Graph's, and goes on.
type Resumption struct {
	At    time.Time `json:"at"`              // tells it from the ones before
	Woken bool      `json:"woken,omitempty"` // a worker has taken it on to wake the devices
}

// resumeKey is where all resumptions are, so that looking for them is one read
// whatever the number of tenants.
const resumeKey = "resume"

// Resumptions are those of the last while, by Key.App.
type Resumptions map[string]Resumption

// Resume tells all workers to call k's application again in its tenant; k.Class
// does not matter. Each obeys within seconds. It is done when the broker has it.
func (s *Store) Resume(ctx context.Context, k Key, at time.Time) error {
	at = plain(at)
	err := broker.Persist(ctx, func() error {
		rs, revision, err := s.resumptions(ctx)
		if err != nil {
			return err
		}
		for app, r := range rs {
			if at.Sub(r.At) > resumeFor {
				delete(rs, app)
			}
		}
		rs[k.App()] = Resumption{At: at}
		return s.writeResumptions(ctx, rs, revision)
	})
	if err != nil {
		return fmt.Errorf("resuming a tenant: %w", err)
	}
	return nil
}

// Resumptions reads what is to be obeyed, and what was.
func (s *Store) Resumptions(ctx context.Context) (Resumptions, error) {
	rs, _, err := s.resumptions(ctx)
	return rs, err
}

// Waking reports whether the caller is to wake the devices for the resumption that
// was made at that time: one worker is.
func (s *Store) Waking(ctx context.Context, app string, at time.Time) (mine bool, err error) {
	rs, revision, err := s.resumptions(ctx)
	if r, ok := rs[app]; err != nil || !ok || r.Woken || !r.At.Equal(at) {
		return false, err
	}
	rs[app] = Resumption{at, true}
	err = s.writeResumptions(ctx, rs, revision)
	if broker.Lost(err) {
		return false, nil // another was first, or another tenant is resumed: the next look tells
	}
	return err == nil, err
}

func (s *Store) resumptions(ctx context.Context) (rs Resumptions, revision uint64, err error) {
	rs = Resumptions{}
	b, revision, err := s.keys.Load(ctx, resumeKey)
	if err != nil {
		return nil, 0, fmt.Errorf("reading resumptions: %w", err)
	}
	if b == nil {
		return rs, revision, nil
	}
	if err := json.Unmarshal(b, &rs); err != nil {
		return nil, 0, broker.Final{Err: fmt.Errorf("reading resumptions: %w", err)}
	}
	return rs, revision, nil
}

func (s *Store) writeResumptions(ctx context.Context, rs Resumptions, revision uint64) error {
	b, err := json.Marshal(rs)
	if err == nil {
		_, err = s.keys.Swap(ctx, resumeKey, b, revision)
	}
	if err != nil {
		return fmt.Errorf("writing resumptions: %w", err)
	}
	return nil
}
