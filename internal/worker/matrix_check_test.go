package worker

import (
	"context"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"changerelay/internal/await"
	"changerelay/internal/events"
	"changerelay/internal/graphsim"
	"changerelay/internal/ledger"
)

// first wants the first ticket to meet nothing.
func (m *matrix) first(t *testing.T, x *trial) {
	if r := m.final(t, x.tickets[0]); r.Outcome != events.Accepted {
		t.Fatalf("the first ticket ended %s (%s)", r.Outcome, r.Reason)
	}
	m.settled(t, x)
}

// settled waits until nothing is due for the device.
func (m *matrix) settled(t *testing.T, x *trial) (d ledger.Device) {
	t.Helper()
	await.State(t, "the device to settle", func() bool { d = m.document(t, x); return !d.Due() })
	return d
}

// arm sets the fault up, behind a failed first try if the fault is for the retry.
func (x *trial) arm(t *testing.T) {
	if x.how.turn != nil {
		x.how.turn(t, x)
	}
	if x.how.own() {
		return
	}
	refresh := func() {}
	if x.op == "token" { // Graph turns the old token down until there is a new one
		refresh = x.fail(graphsim.Fault{Op: x.via, Status: 401, Times: -1})
	}
	if x.retry {
		x.fail(graphsim.Fault{Op: x.op, Status: 503})
	}
	f := x.how.fault
	f.Op, f.Point = x.op, x.point
	f.Message = strings.ReplaceAll(f.Message, "SECRET", x.secret) + " (the token is Bearer " + planted + ")"
	if x.how.date != 0 {
		f.Header = asks(time.Now().Add(x.how.date).UTC().Format("Mon, 02 Jan 2006 15:04:05 GMT"))
	}
	if x.ends.second == nil { // until it is mended
		f.Times = -1
	}
	x.healing = append(x.healing, x.fail(f))
	if x.op == "token" {
		x.healing = append(x.healing, x.fail(graphsim.Fault{Op: "token", Point: graphsim.AfterApply, Hook: refresh}), refresh)
	}
}

// fail arms a fault for the trial alone.
func (x *trial) fail(f graphsim.Fault) (cancel func()) {
	f.Tenant = x.entra
	if f.Op != "token" {
		f.Device = x.device
	}
	return x.sim.Fail(f)
}

// heal mends the cause.
func (x *trial) heal() {
	for _, f := range x.healing {
		f()
	}
	if x.how.heal != nil {
		x.how.heal(x)
	}
}

// second sends the second ticket.
func (m *matrix) second(t *testing.T, x *trial) {
	if x.crowd {
		m.final(t, m.publish(t, x, x.spare(), remove(app(1))))
	}
	m.send(t, x, slices.Concat(x.how.ask, remove(app(2)))[:max(len(x.how.ask), 1)])
	x.mark, x.sent = x.seen, time.Now()
}

// ended wants the second ticket to end as the row says.
func (m *matrix) ended(t *testing.T, x *trial) {
	if x.how.mend != nil {
		await.State(t, "the fault", func() bool { return x.kind == "ok" || len(m.failed(x)) > 0 })
		if x.kind == "ok" {
			m.final(t, x.tickets[1])
		}
		x.how.mend(x)
	}
	if x.ends.second == nil {
		m.putOff(t, x)
	} else {
		r := m.final(t, x.tickets[1])
		if !slices.Contains(x.ends.second, r.Outcome) {
			t.Fatalf("the second ticket ended %s (%s), want %v", r.Outcome, r.Reason, x.ends.second)
		}
		m.letter(t, x.tickets[1], r)
		d := m.settled(t, x)
		held, believed := x.ends.held, x.ends.believed
		if believed == "" {
			believed = held
		}
		m.agrees(t, x, d, held, believed)
	}
	m.kinds(t, x)
	m.again(t, x)
}

// putOff wants nothing to have ended, nobody blamed, and the device due.
func (m *matrix) putOff(t *testing.T, x *trial) {
	await.State(t, "the device to be put off", func() bool {
		ns := m.notes.of(x.device)[x.mark:]
		return len(m.failed(x)) >= len(m.wanted(x)) && len(ns) > 0 && ns[len(ns)-1].Stage == "reconcile"
	})
	r, err := m.s.Find(context.Background(), x.tickets[1].Ref())
	d := m.document(t, x)
	if x.misled() && slices.Contains(so.second, r.Outcome) {
		return // the pause was over before this machine came to look
	}
	if err != nil || r.Outcome != "" || !d.Due() || len(d.Pending) != 1 || len(d.Reports) > 0 {
		t.Fatalf("put off, but outcome %q, %v, document %+v", r.Outcome, err, d)
	}
	held := "A"
	if x.misled() {
		held = "AB"
	}
	m.agrees(t, x, d, held, "A")
}

// misled reports whether Graph has applied what it says it has not.
func (x *trial) misled() bool { return x.op == "post" && x.point == graphsim.AfterApply }

// letter wants a dead letter of what has one, with the event's bytes.
func (m *matrix) letter(t *testing.T, e events.Event, r events.Receipt) {
	t.Helper()
	for _, o := range events.Outcomes {
		ls, err := m.s.Letters(context.Background(), e.Ref().DeadSubject(o), 0, 2)
		want := 0
		if o == r.Outcome && o.Dead() {
			want = 1
		}
		if err != nil || len(ls) != want || want == 1 && (string(ls[0].Data) != string(e.Encode()) || ls[0].Reason == "" || ls[0].Reason != r.Reason) {
			t.Errorf("%s ended %s with dead letters %+v, %v", e.ID, r.Outcome, ls, err)
		}
	}
}

// mended wants the third ticket to end well, and everything to agree.
func (m *matrix) mended(t *testing.T, x *trial) {
	if r := m.final(t, x.tickets[2]); r.Outcome != x.ends.third {
		t.Fatalf("the third ticket ended %s (%s)", r.Outcome, r.Reason)
	}
	if r := m.final(t, x.tickets[1]); x.ends.second == nil && !slices.Contains(so.second, r.Outcome) {
		t.Errorf("the ticket that was put off ended %s (%s)", r.Outcome, r.Reason)
	}
	d := m.settled(t, x)
	if x.ends.third == events.Accepted {
		m.agrees(t, x, d, x.ends.last, x.ends.last)
	}
}

// agrees compares Graph, and the document, with what they should hold.
func (m *matrix) agrees(t *testing.T, x *trial, d ledger.Device, held, believed string) {
	t.Helper()
	truth, says := map[string]bool{}, map[string]bool{}
	for _, s := range x.sim.State(x.entra, x.device) {
		if s.Intent == "remove" {
			truth[s.ID] = true
		}
	}
	for _, it := range d.View.Held {
		says[it.ID] = true
	}
	if got := letters(truth); got != held {
		t.Errorf("Graph holds %q, want %q", got, held)
	}
	if got := letters(says); got != strings.Trim(believed, "-") {
		t.Errorf("the document says %q, want %q", got, believed)
	}
}

// letters are the apps of a set: A for the first.
func letters(set map[string]bool) (s string) {
	for _, id := range slices.Sorted(maps.Keys(set)) {
		for n := range 32 {
			if app(n).ID == id {
				s += string(rune('A' + n - 1))
			}
		}
	}
	return s
}
