package trial

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"changerelay/internal/events"
	"changerelay/internal/proof"
)

// collect reads the history so far, in the order in which proof.Check takes one that was
// cut. What cannot be read is an error: a history with a hole proves nothing.
func (r *recorder) collect(ctx context.Context) (proof.History, error) {
	r.mu.Lock()
	h := r.history
	h.Sent, h.Faults = slices.Clone(h.Sent), slices.Clone(h.Faults)
	r.mu.Unlock()
	h.Ended = time.Now()
	err := r.read(ctx, "OUTCOMES", func(_ string, m *jetstream.RawStreamMsg) error { return outcome(&h, m) })
	// An edit is in the journal a moment before the desk knows of it.
	r.desk.editing.Lock()
	calls, portal, bad := r.graph.journal(ctx)
	h.Calls, h.Edits = calls, matched(r.desk.edits, portal)
	if n := len(r.desk.edits); bad == nil && len(h.Edits) != n {
		bad = fmt.Errorf("the journal has %d of %d edits", len(h.Edits), n)
	}
	r.desk.editing.Unlock()
	err = errors.Join(err, bad,
		r.read(ctx, "CHANGES", func(subject string, m *jetstream.RawStreamMsg) error { return stored(&h, subject, m) }),
		r.read(ctx, "DEAD", func(subject string, _ *jetstream.RawStreamMsg) error {
			t := strings.Split(subject, ".") // dead.v1.<reason>.<tenant>.<device>.<key>
			if len(t) >= 6 {
				h.Letters = append(h.Letters, proof.Letter{Event: strings.Join(t[3:6], "."), Reason: t[2]})
			}
			return nil
		}))
	for _, one := range r.graph.tenants {
		for _, d := range one.devices {
			held, bad := r.graph.held(ctx, one, d)
			h.Final, err = append(h.Final, held), errors.Join(err, bad)
		}
	}
	return h, err
}

func outcome(h *proof.History, m *jetstream.RawStreamMsg) error {
	rec, err := events.ParseReceipt(m.Data)
	if err != nil {
		return err
	}
	ref, err := events.ParseRef(rec.ID)
	if err != nil {
		return err
	}
	h.Outcomes = append(h.Outcomes, proof.Outcome{Event: rec.ID, Device: proof.Device{Tenant: ref.Tenant, ID: ref.Device}, Word: string(rec.Outcome),
		Reason: rec.Reason, Accepted: rec.Accepted, Ended: rec.Ended})
	return nil
}

func stored(h *proof.History, subject string, m *jetstream.RawStreamMsg) error {
	t := strings.Split(subject, ".")
	if len(t) != 6 {
		return fmt.Errorf("CHANGES has the subject %s", subject)
	}
	e := proof.Event{ID: strings.Join(t[2:5], "."), Key: t[4], Device: proof.Device{Tenant: t[2], ID: t[3]}, Seq: m.Sequence, Stored: m.Time}
	parsed, err := events.Parse(m.Data, m.Time)
	if err != nil { // poison
		e.Time = m.Time
		h.Stored = append(h.Stored, e)
		return nil
	}
	e.Ticket, e.Time = parsed.Ticket, parsed.Time
	for _, c := range parsed.Changes {
		switch c.Intent {
		case events.Remove:
			e.Remove = append(e.Remove, c.Item.ID)
		case events.Restore:
			e.Restore = append(e.Restore, c.Item.ID)
		default:
			e.All = true
		}
	}
	h.Stored = append(h.Stored, e)
	return nil
}

// matched gives each edit its place in the journal: those of a device are there in
// the order in which they were made.
func matched(edits []proof.Edit, portal []proof.Call) (found []proof.Edit) {
	for _, e := range edits {
		i := slices.IndexFunc(portal, func(c proof.Call) bool { return c.Device == e.Device })
		if i < 0 {
			continue
		}
		e.At, e.Order = portal[i].At, portal[i].Order
		found, portal = append(found, e), slices.Delete(portal, i, i+1)
	}
	return found
}

// read calls f with each message of a stream, in order, as the leader has it.
func (r *recorder) read(ctx context.Context, stream string, f func(subject string, m *jetstream.RawStreamMsg) error) error {
	s, err := r.js.Stream(ctx, stream)
	if err != nil {
		return fmt.Errorf("reading %s: %w", stream, err)
	}
	state := s.CachedInfo().State
	for seq := max(state.FirstSeq, 1); seq <= state.LastSeq; seq++ {
		m, err := r.message(ctx, s, seq)
		if errors.Is(err, jetstream.ErrMsgNotFound) {
			continue
		}
		if err == nil {
			err = f(m.Subject, m)
		}
		if err != nil {
			return fmt.Errorf("reading %s: message %d: %w", stream, seq, err)
		}
	}
	return nil
}

// message rides out a leader that has just died.
func (r *recorder) message(ctx context.Context, s jetstream.Stream, seq uint64) (m *jetstream.RawStreamMsg, err error) {
	for range tries {
		one, cancel := context.WithTimeout(ctx, 2*time.Second)
		m, err = s.GetMsg(one, seq)
		cancel()
		if err == nil || errors.Is(err, jetstream.ErrMsgNotFound) || ctx.Err() != nil {
			break
		}
		time.Sleep(checkEvery)
	}
	return m, err
}
