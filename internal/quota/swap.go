package quota

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// update replaces the cell by f of it, by compare-and-swap. It is the only way
// to write one. f runs again whenever another worker was first, and may be given
// a cell that is no longer the newest: then what it makes of it is not written.
//
// A write whose reply is lost may be made all the same. Its send times lapse.
func (s *Store) update(ctx context.Context, key string, f func(Cell) Cell) (Cell, error) {
	var c Cell
	err := s.persist(ctx, func() (err error) {
		c, err = s.swap(ctx, key, f)
		return err
	})
	return c, err
}

// swap is one try of update: on the cell as last seen here, if there is one.
func (s *Store) swap(ctx context.Context, key string, f func(Cell) Cell) (Cell, error) {
	e, known := s.recall(key)
	if !known {
		var err error
		if e, err = s.load(ctx, key); err != nil {
			return Cell{}, err
		}
	}
	c := f(e.cell)
	if c == e.cell {
		s.remember(key, e)
		return c, nil
	}
	b, err := c.encode()
	if err != nil {
		return e.cell, final{fmt.Errorf("writing quota %s: %w", key, err)}
	}
	revision, err := s.write(ctx, key, b, e.revision)
	if err != nil {
		s.forget(key)
		return e.cell, fmt.Errorf("writing quota %s: %w", key, err)
	}
	s.remember(key, entry{c, revision})
	return c, nil
}

// write writes over that revision. Create knows of keys that somebody deleted.
func (s *Store) write(ctx context.Context, key string, b []byte, revision uint64) (uint64, error) {
	ctx, cancel := context.WithTimeout(ctx, tryFor)
	defer cancel()
	if revision == 0 {
		return s.kv.Create(ctx, key, b)
	}
	return s.kv.Update(ctx, key, b, revision)
}

func (s *Store) recall(key string) (entry, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e, ok := s.last[key]
	return e, ok
}

func (s *Store) remember(key string, e entry) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.last[key].revision <= e.revision { // a lease and a 429 may be written side by side
		s.last[key] = e
	}
}

func (s *Store) forget(key string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.last, key)
}

// A final error is not tried again.
type final struct{ error }

func (f final) Unwrap() error { return f.error }

// persist repeats a try that lost a swap, for as long as ctx allows, and one that
// the broker did not answer, a few times, or for as long as ctx allows if it has
// a deadline: a request to a leader that has just died is never answered.
func (s *Store) persist(ctx context.Context, try func() error) error {
	for lost, failed := 0, 0; ; {
		err := try()
		if f := (final{}); errors.As(err, &f) {
			return f.error
		}
		// A lost swap is one error on a single node and mostly the other on a cluster.
		switch {
		case err == nil:
			return nil
		case errors.Is(err, jetstream.ErrKeyExists), errors.Is(err, jetstream.ErrKeyRevisionMismatch):
			lost++
		default:
			failed++
		}
		if _, bounded := ctx.Deadline(); !bounded && failed >= tries {
			return err
		}
		pause := min(casPause<<min(lost, 10), casSlow) + time.Duration(failed)*tryPause
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w; last: %w", ctx.Err(), err)
		case <-time.After(rand.N(2 * pause)):
		}
	}
}
