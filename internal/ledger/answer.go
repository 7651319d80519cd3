package ledger

import (
	"maps"
	"slices"
	"time"

	"changerelay/internal/events"
)

// Accepted records that Graph took attempt id at now.
func (d Device) Accepted(id, request string, now time.Time) (Device, error) {
	a, err := d.open(id)
	if err != nil {
		return d, err
	}
	d = d.clone()
	d.took(a, request, now)
	d.Called = now
	return d, nil
}

// Asked notes the request-id that Graph gave the call of attempt id, for its events.
func (d Device) Asked(id, request string) Device {
	a, err := d.open(id)
	if err != nil || request == "" {
		return d
	}
	d = d.clone()
	all := map[string]bool{}
	for i, e := range d.Pending {
		if slices.Contains(a.Keys, e.Key) && !slices.Contains(e.Requests, request) {
			e.Requests = append(slices.Clone(e.Requests), request)
			d.Pending[i].Requests = e.Requests[max(0, len(e.Requests)-MaxRequests):]
		}
		for _, r := range d.Pending[i].Requests {
			all[r] = true
		}
	}
	for i, e := range d.Pending {
		if len(all) > MaxAsked && !slices.Contains(a.Keys, e.Key) {
			d.Pending[i].Requests = nil
		}
	}
	return d
}

// InDoubt records that attempt id ended at now without a clear answer. It stays
// open, but nothing more is written: a read shows what came of it Lag later.
func (d Device) InDoubt(id string, now time.Time, t Timing) (Device, error) {
	a, err := d.open(id)
	if err != nil {
		return d, err
	}
	if until := now.Add(t.Skew + t.Lag); until.Before(a.Until) {
		b := *a
		b.Until = until
		d.Attempt = &b
	}
	return d, nil
}

// Released records that attempt id was certainly not applied, and that no event
// is to blame: nothing was sent, or the tenant's permission is lost.
func (d Device) Released(id string) (Device, error) {
	if _, err := d.open(id); err != nil {
		return d, err
	}
	d.Attempt = nil
	return d, nil
}

// Ended records a clear answer that ends every event the attempt carried, with
// one word: the whole call, not one of its items, was turned down. approval is
// the code by which an admin finds what to approve, if Graph gave one.
func (d Device) Ended(id string, o events.Outcome, reason, request, approval string, now time.Time) (Device, error) {
	a, err := d.open(id)
	if err != nil {
		return d, err
	}
	d = d.clone()
	d.Attempt = nil
	before := len(d.Reports)
	for _, k := range a.Keys {
		d.retract(k, o, reason, request, now)
	}
	for i := before; i < len(d.Reports); i++ {
		d.Reports[i].Approval = approval
	}
	if len(a.Keys) > 0 {
		return d, nil
	}
	if b := d.Blame; b != nil && b.Suspect != "" { // nothing can be found out by asking: the event that was refused by itself has it
		d.retract(b.Suspect, events.Refused, b.Reason, b.Request, now)
	}
	d.Retell, d.Blame = false, nil
	return d, nil
}

// Gone records that Graph no longer knows the device: every event ends.
func (d Device) Gone(reason, request string, now time.Time) Device {
	d = d.clone()
	d.Attempt, d.Doubts, d.Retell, d.Blame = nil, nil, false, nil
	for len(d.Pending) > 0 {
		d.endAt(0, events.Refused, reason, request, now)
	}
	return d
}

// Retract ends an untold event. The words it covered are uncovered; a told
// word's order is never touched.
func (d Device) Retract(key string, o events.Outcome, reason string, now time.Time) Device {
	d = d.clone()
	d.retract(key, o, reason, "", now)
	return d
}

func (d *Device) retract(key string, o events.Outcome, reason, request string, now time.Time) {
	if i := slices.IndexFunc(d.Pending, func(e Entry) bool { return e.Key == key }); i >= 0 {
		d.endAt(i, o, reason, request, now)
	}
}

// open returns the attempt if it is still the open one.
func (d Device) open(id string) (*Attempt, error) {
	if d.Attempt == nil || d.Attempt.ID != id {
		return nil, ErrLost
	}
	return d.Attempt, nil
}

// took makes attempt a's words told at now, and its set the view. The view's
// time stays: a POST's success is no read.
func (d *Device) took(a *Attempt, request string, now time.Time) {
	d.Attempt, d.Retell = nil, false
	if d.Blame.probing() {
		d.probed(a.Set, now)
	}
	d.tell(a.Keys, events.Accepted, request, now)
	d.View.Held = a.Set // after tell: to restore everything is a word on what was held
	d.unblame()
	d.prune()
}

// tell moves the words of the events in keys to the tombstones and ends the
// events, and those whose every word is outranked now: superseded is final only
// when the winner is told.
func (d *Device) tell(keys []string, o events.Outcome, request string, now time.Time) {
	carried := make(map[string]bool, len(keys))
	for _, k := range keys {
		carried[k] = true
	}
	for _, e := range d.Pending { // in Order, so the newest word of each item stays
		for _, c := range e.Changes {
			switch {
			case !carried[e.Key] || !d.outranks(e, c):
			case c.Intent == events.RestoreAll:
				d.tellAll(e, now)
			default:
				d.Told[c.Item.ID] = Word{Order: e.Order, Item: c.Item, Intent: c.Intent, At: now}
			}
		}
	}
	winners := map[string]bool{d.Floor.Key: true} // it restored everything, and that is still the newest word
	for _, w := range d.Told {
		winners[w.Key] = true
	}
	rest := d.Pending[:0:0]
	for _, e := range d.Pending {
		switch {
		case carried[e.Key] && winners[e.Key]:
			d.end(e, o, "", request, now)
		case carried[e.Key] || !d.has(e):
			e.Winner = d.winner(e)
			d.end(e, events.Superseded, "a newer change of the same items has been told", request, now)
		default:
			rest = append(rest, e)
		}
	}
	d.Pending = rest
}

// winner is the event that a word of e lost to.
func (d *Device) winner(e Entry) Winner {
	by := Order{}
	for _, c := range e.Changes {
		w := d.Told[c.Item.ID].Order
		if c.Intent == events.RestoreAll || !w.Newer(e.Order) {
			w = d.Floor
		}
		if w.Newer(by) && w.Newer(e.Order) {
			by = w
		}
	}
	n := Winner{Key: by.Key}
	for _, o := range d.Pending {
		if n.Key != "" && o.Key == n.Key {
			n.Ticket = o.Ticket
		}
	}
	for _, o := range d.Reports {
		if n.Key != "" && o.Key == n.Key {
			n.Ticket = o.Ticket
		}
	}
	return n
}

// tellAll makes e, which restores everything, the newest word on each item that
// was told or is held, unless that has a newer one, and on all others (Floor).
// The words keep a read that lags from bringing back what was held.
func (d *Device) tellAll(e Entry, now time.Time) {
	items := itemsOf(d.Told)
	maps.Copy(items, index(d.View.Held))
	for id, it := range items {
		if d.over(e, id) {
			d.Told[id] = Word{Order: e.Order, Item: it, Intent: events.Restore, At: now}
		}
	}
	if e.Newer(d.Floor) {
		d.Floor = e.Order
	}
}

// prune keeps the tombstones bounded: beyond MaxWords the one told longest ago
// leaves, and Floor remembers that nothing as old may be told any more. Removals
// that stand stay: they say whose they are, and Graph allows but MaxItems.
func (d *Device) prune() {
	for len(d.Told) > MaxWords {
		var oldest Word
		for _, w := range d.words() {
			stands := w.Intent == events.Remove && !w.Yielded
			if !stands && (oldest.At.IsZero() || w.At.Before(oldest.At) || w.At.Equal(oldest.At) && oldest.Newer(w.Order)) {
				oldest = w
			}
		}
		if oldest.At.IsZero() {
			return // only a document that somebody else wrote can be so
		}
		d.bury(oldest)
	}
}

// Forget drops tombstones that were told before: when CHANGES and DEAD keep
// nothing as old, no replay can undo them.
func (d Device) Forget(before time.Time) Device {
	d = d.clone()
	for id, w := range d.Told {
		if w.At.Before(before) {
			delete(d.Told, id)
		}
	}
	return d
}

func (d *Device) bury(w Word) {
	delete(d.Told, w.Item.ID)
	if w.Newer(d.Floor) {
		d.Floor = w.Order
	}
}
