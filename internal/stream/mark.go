package stream

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/nats-io/nats.go"

	"changerelay/internal/events"
)

// marksPrefix stands before a mark's key, which is a hash of what was signed.
const marksPrefix = "$KV.marks."

// A Mark is one delivery's hold on what its sender signed. One goroutine may
// use it.
//
//	        Begin                   Done
//	nothing ─────► provisional ─────────────► done, until it is forgotten
//	                 │      ▲
//	      last Undo  ▼      │ Begin
//	                  undone
//
// Deliveries of the same events share a mark: any of them makes it done, and
// only the last one that gives up takes it back. A delivery of other events
// gets it when it was taken back, or when its holders have been silent for so
// long that they must be dead, and then only if not all of its events turn out
// to be stored.
//
// All writes are compare-and-swap on what was read, and done stays done: of two
// deliveries with different events one at most comes to Done. The bucket forgets
// a mark MarksFor after it was last written. By then a signed time is out of
// every tolerance; without one, what was signed can be used again.
type Mark struct {
	s       *Streams
	subject string
	holder  string   // its name among the holders
	refs    []string // sorted
	seen    markRevision
}

// A markRevision is a mark as it was read or written.
type markRevision struct {
	storedMark
	number uint64    // 0: there is none
	at     time.Time // the broker's
}

// Begin marks what was signed, proof, as used for the events of refs. The error
// is ErrReplayed if it was used for others, and ErrUnavailable if it is in use
// for others or the broker does not answer. A mark that is provisional and has
// not changed for hold is its holders' no more; hold is longer than a delivery
// can take, clocks that differ included.
func (s *Streams) Begin(ctx context.Context, proof []byte, refs []events.Ref, hold time.Duration) (*Mark, error) {
	ctx, cancel := bound(ctx, PublishFor)
	defer cancel()
	key := sha256.Sum256(proof)
	m := &Mark{s: s, subject: marksPrefix + hex.EncodeToString(key[:]), holder: rand.Text()}
	for _, r := range refs {
		m.refs = append(m.refs, r.String())
	}
	slices.Sort(m.refs)
	// The first try takes for granted that there is no mark, as there is none
	// for nearly all deliveries; the swap knows better.
	if err := m.swap(ctx, func(old markRevision) (storedMark, error) { return m.begin(ctx, old, hold) }); err != nil {
		return nil, fmt.Errorf("marking a delivery: %w", err)
	}
	return m, nil
}

func (m *Mark) begin(ctx context.Context, old markRevision, hold time.Duration) (storedMark, error) {
	next, err := old.begin(m.refs, m.holder, old.number > 0 && time.Since(old.at) < hold)
	if !errors.Is(err, errFree) {
		return next, err
	}
	// Its holders could not tell whether the broker had stored their events.
	if all, err := m.s.allStored(ctx, old.Refs); err != nil {
		return old.storedMark, err
	} else if all {
		return old.storedMark, ErrReplayed
	}
	return next, nil
}

// allStored reports whether CHANGES has every event.
func (s *Streams) allStored(ctx context.Context, refs []string) (bool, error) {
	for _, r := range refs {
		ref, err := events.ParseRef(r)
		if err != nil {
			return false, fmt.Errorf("reading a mark: refs: %w", err)
		}
		_, err = s.last(ctx, Changes, ref.ChangesFilter())
		if errors.Is(err, events.ErrNotFound) {
			return false, nil
		}
		if err != nil {
			return false, err
		}
	}
	return true, nil
}

// Done says that the events are stored. It fails with ErrReplayed if another
// delivery has taken the mark over, because this one was silent for too long.
func (m *Mark) Done(ctx context.Context) error {
	ctx, cancel := bound(ctx, PublishFor)
	defer cancel()
	if err := m.swap(ctx, func(old markRevision) (storedMark, error) { return old.done(m.refs) }); err != nil {
		return fmt.Errorf("confirming a mark: %w", err)
	}
	return nil
}

// Undo gives the mark up: the sender was told to try again.
func (m *Mark) Undo(ctx context.Context) error {
	ctx, cancel := bound(ctx, PublishFor)
	defer cancel()
	if err := m.swap(ctx, func(old markRevision) (storedMark, error) { return old.undo(m.refs, m.holder), nil }); err != nil {
		return fmt.Errorf("taking a mark back: %w", err)
	}
	return nil
}

// swap writes f of the mark, of what is stored by then. F runs again when
// another was first, or when its own write's answer was lost: then it meets its
// own work and makes nothing of it.
func (m *Mark) swap(ctx context.Context, f func(markRevision) (storedMark, error)) error {
	for lost := 0; ; lost++ {
		next, err := f(m.seen)
		if err != nil || next.equal(m.seen.storedMark) {
			return err
		}
		msg := &nats.Msg{Subject: m.subject, Data: next.encode()}
		expect(msg, m.seen.number)
		n, err := m.s.put(ctx, msg)
		if err == nil {
			m.seen = markRevision{storedMark: next, number: n, at: time.Now()}
			return nil
		}
		if !errors.Is(err, errStored) {
			return err
		}
		if lost > 0 && sleep(ctx, jitter(InFlightPause)) != nil {
			return fmt.Errorf("%w: others change the mark all the time", ErrUnavailable)
		}
		if m.seen, err = m.s.readMark(ctx, m.subject); err != nil {
			return err
		}
	}
}

// readMark asks the leader; a mark that is not there is the zero one.
func (s *Streams) readMark(ctx context.Context, subject string) (markRevision, error) {
	m, err := s.last(ctx, Marks, subject)
	if errors.Is(err, events.ErrNotFound) {
		return markRevision{}, nil
	}
	if err != nil {
		return markRevision{}, err
	}
	r := markRevision{number: m.Sequence, at: m.Time}
	if err := json.Unmarshal(m.Data, &r.storedMark); err != nil || !r.known() {
		return markRevision{}, fmt.Errorf("reading mark %s: it is not one of this version of the relay", subject)
	}
	return r, nil
}
