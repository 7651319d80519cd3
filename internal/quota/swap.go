package quota

import (
	"context"
	"fmt"

	"changerelay/internal/broker"
)

// update replaces the cell by f of it, by compare-and-swap. It is the only way
// to write one. f runs again whenever another worker was first, and may be given
// a cell that is no longer the newest: then what it makes of it is not written.
//
// A write whose reply is lost may be made all the same. Its send times lapse.
func (s *Store) update(ctx context.Context, key string, f func(Cell) Cell) (Cell, error) {
	var c Cell
	err := broker.Persist(ctx, func() (err error) {
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
		return e.cell, broker.Final{Err: fmt.Errorf("writing quota %s: %w", key, err)}
	}
	revision, err := s.keys.Swap(ctx, key, b, e.revision)
	if err != nil {
		s.forget(key)
		return e.cell, fmt.Errorf("writing quota %s: %w", key, err)
	}
	s.remember(key, entry{c, revision})
	return c, nil
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
