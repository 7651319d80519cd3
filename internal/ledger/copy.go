package ledger

import (
	"bytes"
	"strconv"

	"changerelay/internal/events"
)

// MaxCopy is the size of the largest document that is copied, bytes: that of a
// device with a few events. A larger one is read, which then costs less than the
// rest of the visit.
const MaxCopy = 2 << 10

// Copy is the document as it was last read or written here, with its revision, for
// Resume; nil if there is none, or if it is larger than MaxCopy. It goes with the
// wake-up that follows a fold, and saves a read of the ledger.
func (h *Held) Copy() []byte {
	if h.last == nil || h.copied || h.last.stored == nil || len(h.last.stored) > MaxCopy {
		return nil
	}
	b := make([]byte, 0, 21+len(h.last.stored))
	b = append(strconv.AppendUint(b, h.last.revision, 10), '\n')
	return append(b, h.last.stored...)
}

// Resume is Hold with a copy in hand. What is no copy is passed over.
func (s *Store) Resume(a events.Address, copied []byte) *Held {
	h := s.Hold(a)
	number, stored, _ := bytes.Cut(copied, []byte("\n"))
	revision, err := strconv.ParseUint(string(number), 10, 64)
	if err != nil || revision == 0 {
		return h
	}
	if d, err := decode(stored); err == nil {
		h.last, h.copied = &version{d, stored, revision}, true
	}
	return h
}
