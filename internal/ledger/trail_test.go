package ledger

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"changerelay/internal/events"
)

// receiptOf is what the world is told of an event.
func receiptOf(t *testing.T, d Device, key string) events.Receipt {
	t.Helper()
	a := events.Address{Tenant: "acme", Device: "0f9a6d1e-7b0a-4d0e-9a52-3c1b7f0a1d11"}
	for _, r := range d.Reports {
		if r.Key == key {
			return r.Receipt(a)
		}
	}
	t.Fatalf("there is no report of %s in %+v", key, d.Reports)
	return events.Receipt{}
}

// Who asks why a change was superseded is told by which: the ticket too, where the
// document still has it, and also after it was stored and read again.
func TestSupersededSaysByWhom(t *testing.T) {
	older, newer := word(1, later(0), remove("x")...), word(2, later(time.Second), restore("x")...)
	older.Ticket, newer.Ticket = "CHG1", "CHG2"
	d := Device{}.Fold(older).Fold(newer)
	d = d.See(Sight{At: later(time.Minute)}, timing).Begin("a", later(time.Minute), timing)
	d = must(t)(d.Accepted("a", "rq", later(time.Minute)))
	b := same(t, d)
	got, err := decode(b)
	if err != nil {
		t.Fatal(err)
	}
	r := receiptOf(t, got, older.Key)
	if r.Outcome != events.Superseded || !strings.HasSuffix(r.Reason, ": ticket CHG2, event acme.0f9a6d1e-7b0a-4d0e-9a52-3c1b7f0a1d11."+newer.Key) {
		t.Errorf("%+v", r)
	}
	d = d.Reported(older.Key, newer.Key)
	late := word(3, later(-time.Second), remove("x")...)
	if r = receiptOf(t, d.Fold(late), late.Key); !strings.HasSuffix(r.Reason, ": event acme.0f9a6d1e-7b0a-4d0e-9a52-3c1b7f0a1d11."+newer.Key) {
		t.Errorf("of a tombstone: %+v", r)
	}
	all := word(4, later(time.Hour), events.Change{Intent: events.RestoreAll})
	d = d.Fold(all).See(Sight{At: later(time.Hour), Removed: []events.Item{remove("z")[0].Item}}, timing).Begin("b", later(time.Hour), timing)
	d = must(t)(d.Accepted("b", "rq", later(time.Hour)))
	other := word(5, later(0), remove("y")...)
	if r = receiptOf(t, d.Fold(other), other.Key); !strings.Contains(r.Reason, all.Key) {
		t.Errorf("of everything: %+v", r)
	}
}

// An event's receipt has the calls that carried it, the newest of them, and when it
// came how far.
func TestTrailOfCalls(t *testing.T) {
	e := word(1, later(0), remove("x")...)
	e.Accepted = later(0)
	d := Device{}.Fold(e.At(later(7 * time.Millisecond)))
	now := later(time.Minute)
	for n := range MaxRequests + 2 {
		id := fmt.Sprint("call-", n)
		d = d.See(Sight{At: now}, timing).Begin(id, now, timing)
		if d = d.Asked("another", "not-ours"); n < MaxRequests+1 {
			d = must(t)(d.Asked(id, "rq-"+id).Released(id))
			now = now.Add(time.Minute)
			same(t, d)
		} else {
			d = must(t)(d.Asked(id, "rq-"+id).Asked(id, "rq-"+id).Accepted(id, "rq-"+id, now))
		}
	}
	got, err := decode(same(t, d))
	if err != nil {
		t.Fatal(err)
	}
	r := receiptOf(t, got, e.Key)
	want := []string{"rq-call-2", "rq-call-3", "rq-call-4", "rq-call-5", "rq-call-6"}
	if !slices.Equal(r.Requests, want) || r.Attempts != MaxRequests+2 {
		t.Errorf("%d attempts, requests %v, want %v", r.Attempts, r.Requests, want)
	}
	if !r.Folded.Equal(later(7*time.Millisecond)) || !r.Called.Equal(later(time.Minute)) || !r.Ended.Equal(now) {
		t.Errorf("folded %v, called %v, ended %v", r.Folded, r.Called, r.Ended)
	}
	// What a worker of the release before has written has the deciding call alone.
	old := Report{Entry: word(9, later(0), remove("x")...), Outcome: events.Accepted, Request: "rq"}
	if r := old.Receipt(events.Address{Tenant: "acme"}); !slices.Equal(r.Requests, []string{"rq"}) || !r.Folded.IsZero() {
		t.Errorf("%+v", r)
	}
}

// Clocks do not agree, and a time never comes before the acceptance it is kept by.
func TestTrailOfASlowClock(t *testing.T) {
	e := word(1, later(0), remove("x")...)
	e.Accepted = later(0)
	if e = e.At(later(-time.Second)); !e.Folded.Equal(later(time.Millisecond)) {
		t.Errorf("folded %v", e.Folded)
	}
	same(t, Device{Pending: []Entry{e}})
}

// However many calls carried however many events, the document stays as small as
// Room thought when it took them in.
func TestTrailsFitTheRoom(t *testing.T) {
	d, n := Device{}, 0
	for ; ; n++ {
		e := word(n+1, later(time.Duration(n)*time.Second), remove(fmt.Sprintf("5b1c9b0e-5d0c-4b43-9a0a-2f6f7d6a%04x", n))...)
		e.Key, e.Ticket, e.Accepted = fmt.Sprintf("%026d", n), fmt.Sprintf("CHG%07d", n), later(0)
		if !d.Room(e) {
			break
		}
		d = d.Fold(e.At(later(4 * time.Hour)))
	}
	for i := range d.Pending {
		d.Attempt = &Attempt{ID: "a", Keys: []string{d.Pending[i].Key, d.Pending[(i+1)%n].Key}}
		for c := range MaxRequests {
			d = d.Asked("a", fmt.Sprintf("5b1c9b0e-5d0c-4b43-9a0a-%06d%06d", i, c))
		}
	}
	for i := range d.Pending {
		d.Pending[i].Called, d.Pending[i].Attempts = later(4*time.Hour), 99
		d.Pending[i].Winner = Winner{d.Pending[(i+1)%n].Key, d.Pending[(i+1)%n].Ticket}
	}
	for len(d.Pending) > 0 {
		d.endAt(0, events.Superseded, "a newer change of the same items has been told", "5b1c9b0e-5d0c-4b43-9a0a-2f6f7d6a0000", later(5*time.Hour+123456789))
	}
	b := same(t, d)
	if est := d.size(); len(b) > est || len(b) > 64<<10 {
		t.Errorf("%d events: %d bytes, thought to be %d", n, len(b), est)
	}
	t.Logf("%d events, %d bytes", n, len(b))
}
