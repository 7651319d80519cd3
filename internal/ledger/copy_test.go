package ledger

import (
	"errors"
	"fmt"
	"testing"

	"changerelay/internal/natstest"
)

// copied has a document of one event, and a copy of it.
func copied(t *testing.T) (s *Store, c []byte) {
	t.Helper()
	s = open(t, natstest.Server(t).URL(), 1)
	h := s.Hold(phone)
	if h.Copy() != nil {
		t.Error("what is not read has a copy")
	}
	if _, err := h.Update(t.Context(), folding(word(1, t0, remove("x")...))); err != nil {
		t.Fatal(err)
	}
	return s, h.Copy()
}

func TestResume(t *testing.T) {
	s, c := copied(t)
	h := s.Resume(phone, c)
	if d, err := h.Get(t.Context()); err != nil || len(d.Pending) != 1 || !h.Copied() || h.Copy() != nil {
		t.Fatalf("%+v, %v", d, err)
	}
	before := revision(t, s, phone)
	if d, err := h.Update(t.Context(), folding(word(2, t0, remove("y")...))); err != nil || len(d.Pending) != 2 || h.Copied() {
		t.Fatalf("%+v, %v", d, err)
	}
	if after := revision(t, s, phone); after != before+1 {
		t.Errorf("revision %d is now %d", before, after)
	}
}

// Nothing is concluded from an old copy: neither that there is nothing to write,
// nor that an attempt is lost, nor what an event was.
func TestLaw01AnOldCopyDecidesNothing(t *testing.T) {
	s, c := copied(t)
	if _, err := s.Update(t.Context(), phone, folding(word(2, t0, remove("y")...))); err != nil {
		t.Fatal(err)
	}
	same := func(d Device) (Device, error) { return d, nil }
	broken := errors.New("of one event")
	for name, f := range map[string]func(Device) (Device, error){
		"nothing to write": same,
		"an error": func(d Device) (Device, error) {
			if len(d.Pending) == 1 {
				return d, broken
			}
			return d, nil
		},
		"a write": folding(word(3, t0, remove("z")...)),
	} {
		h := s.Resume(phone, c)
		if d, err := h.Update(t.Context(), f); err != nil || len(d.Pending) < 2 || h.Copied() {
			t.Errorf("%s: %d events, %v", name, len(d.Pending), err)
		}
	}
	counted(t, s, 3)
	h := s.Resume(phone, c)
	h.Forget()
	if d, err := h.Get(t.Context()); err != nil || len(d.Pending) != 3 || h.Copied() {
		t.Errorf("forgotten: %d events, %v", len(d.Pending), err)
	}
}

func TestResumeWithoutACopy(t *testing.T) {
	s, c := copied(t)
	for _, odd := range []string{"", "7", "7\n", "\n{}", "0\n" + string(nothing), "-1\n" + string(nothing), "7\n{}", "7\n" + `{"v":3}`, "x" + string(c)} {
		h := s.Resume(phone, []byte(odd))
		if d, err := h.Get(t.Context()); err != nil || len(d.Pending) != 1 || h.Copied() {
			t.Errorf("%q: %+v, %v", odd, d, err)
		}
	}
	for n := range 20 {
		if _, err := s.Update(t.Context(), phone, folding(word(10+n, t0, remove(fmt.Sprint("app", n))...))); err != nil {
			t.Fatal(err)
		}
	}
	h := s.Hold(phone)
	if _, err := h.Get(t.Context()); err != nil {
		t.Fatal(err)
	}
	if size := len(h.last.stored); size <= MaxCopy || h.Copy() != nil {
		t.Errorf("a document of %d bytes is copied", size)
	}
}
