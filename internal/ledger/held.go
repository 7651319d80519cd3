package ledger

import (
	"bytes"
	"context"
	"fmt"

	"changerelay/internal/broker"
	"changerelay/internal/events"
)

// A Held is a device's document in the hands of one goroutine that writes it
// several times in a row. It goes on from what it wrote last and does not read
// that back: the broker has acknowledged it, so that nothing newer was there. Who
// writes meanwhile wins the next swap, and then the document is read.
//
// It is no lock. A device is found settled by it as by a read: a fold that has
// written since wakes the device after its write.
type Held struct {
	s    *Store
	a    events.Address
	last *version // nil: read it
}

// A version is a document as it is stored.
type version struct {
	d        Device
	stored   []byte
	revision uint64 // to write over: 0 if there is none, that of the mark if it was deleted
}

// nothing is the stored form of the zero Device, which is not stored.
var nothing, _ = Device{}.encode()

// Hold returns the device's document, unread.
func (s *Store) Hold(a events.Address) *Held { return &Held{s: s, a: a} }

// Get returns the document as it was last read or written here; at first it is
// read from the leader.
func (h *Held) Get(ctx context.Context) (d Device, err error) {
	err = broker.Persist(ctx, func() error {
		v, err := h.version(ctx)
		d = v.d
		return err
	})
	return d, err
}

// Update replaces the document by f of it, by compare-and-swap. It is the only way
// to write one. f runs again whenever another worker was first, so it must be
// pure; when it changes nothing, nothing is written. An error of f ends the
// update and is returned as it is, with the document f was given.
//
// A write whose reply is lost may be made all the same: f then meets its own
// work, and must make nothing of it.
func (h *Held) Update(ctx context.Context, f func(Device) (Device, error)) (d Device, err error) {
	err = broker.Persist(ctx, func() (err error) {
		d, err = h.swap(ctx, f)
		return err
	})
	return d, err
}

func (h *Held) version(ctx context.Context) (version, error) {
	if h.last == nil {
		v, err := h.s.load(ctx, h.a)
		if err != nil {
			return v, err
		}
		h.last = &v
	}
	return *h.last, nil
}

// swap is one try of Update.
func (h *Held) swap(ctx context.Context, f func(Device) (Device, error)) (Device, error) {
	held := h.last != nil
	old, err := h.version(ctx)
	if err != nil {
		return old.d, err
	}
	d, err := f(old.d)
	if err != nil && held {
		h.last = nil // it may be old: ask f again about what there is
		return h.swap(ctx, f)
	}
	if err != nil {
		return old.d, broker.Final{Err: err}
	}
	b, err := d.encode()
	if err != nil {
		return old.d, broker.Final{Err: fmt.Errorf("writing ledger %s: %w", h.a, err)}
	}
	if bytes.Equal(b, old.stored) || old.stored == nil && bytes.Equal(b, nothing) {
		return d, nil
	}
	h.last = nil // until the broker has acknowledged
	revision, err := h.s.keys.Swap(ctx, h.a.String(), b, old.revision)
	if err != nil {
		return old.d, fmt.Errorf("writing ledger %s: %w", h.a, err)
	}
	h.last = &version{d, b, revision}
	return d, nil
}
