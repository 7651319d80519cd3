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
// It may begin with a copy that came with a wake-up (Resume), which may be old by
// then. A swap proves such a copy, or loses and reads.
//
// It is no lock. A device is found settled by it as by a read: a fold that has
// written since wakes the device after its write.
type Held struct {
	s    *Store
	a    events.Address
	last *version // nil: read it

	copied bool // last is a copy: nothing may end by it alone
}

// A version is a document as it is stored.
type version struct {
	d        Device
	stored   []byte
	revision uint64 // to write over: 0 if there is none, that of the mark if it was deleted
}

// nothing is the stored form of the zero Device, which is not stored.
var nothing = Device{}.encode()

// Hold returns the device's document, unread.
func (s *Store) Hold(a events.Address) *Held { return &Held{s: s, a: a} }

// Get returns the document as it was last read or written here; at first it is
// read from the leader, or the copy: see Copied.
func (h *Held) Get(ctx context.Context) (d Device, err error) {
	err = broker.Persist(ctx, func() error {
		v, err := h.version(ctx)
		if err != nil {
			return err
		}
		d = v.d
		return nil
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

// version is not written to. It is a pointer because a document is large, and
// this is deep in the stack that each device in hand has.
func (h *Held) version(ctx context.Context) (*version, error) {
	if h.last == nil {
		v, err := h.s.load(ctx, h.a)
		if err != nil {
			return nil, err
		}
		h.last = v
	}
	return h.last, nil
}

// Copied reports whether Get returns a copy that nothing has proven yet. By it a
// worker may begin a visit, which ends with a swap, and must not conclude that
// there is nothing to do.
func (h *Held) Copied() bool { return h.copied }

// Forget has the document read from the leader when it is needed next.
func (h *Held) Forget() { h.last, h.copied = nil, false }

// again is a try with the document as the leader has it.
func (h *Held) again(ctx context.Context, f func(Device) (Device, error)) (Device, error) {
	h.Forget()
	return h.swap(ctx, f)
}

// swap is one try of Update.
func (h *Held) swap(ctx context.Context, f func(Device) (Device, error)) (Device, error) {
	held, copied := h.last != nil, h.copied
	old, err := h.version(ctx)
	if err != nil {
		return Device{}, err
	}
	d, err := f(old.d)
	if err != nil && held {
		return h.again(ctx, f) // it may be old: ask f about what there is
	}
	if err != nil {
		return old.d, broker.Final{Err: err}
	}
	b := d.encode()
	if bytes.Equal(b, old.stored) || old.stored == nil && bytes.Equal(b, nothing) {
		if copied {
			return h.again(ctx, f)
		}
		return d, nil
	}
	h.Forget() // until the broker has acknowledged
	revision, err := h.s.keys.Swap(ctx, h.a.String(), b, old.revision)
	if err != nil {
		return old.d, fmt.Errorf("writing ledger %s: %w", h.a, err)
	}
	h.last = &version{d, b, revision}
	return d, nil
}
