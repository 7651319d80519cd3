package worker

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"changerelay/internal/events"
	"changerelay/internal/graphsim"
	"changerelay/internal/ledger"
)

// The fault matrix: every fault that the simulator knows, at a call, a read or a
// token, before and after it took effect, at the first try and at the retry.
//
// Each trial is a device, and a tenant where the fault would pause others. Its
// first ticket removes app A and meets no fault. Its second removes app B and
// meets the trial's. Its third removes app C when the cause is mended and the
// pauses are over: the worker's clock is the test's. All trials run at once on one
// broker and one worker:
//
//	first ticket ─► fault ─► second ticket ─► ends as its row says ─► mend, an hour passes ─► third ticket
//
// The rows are in matrix_call_test.go, matrix_read_test.go, matrix_token_test.go
// and matrix_switch_test.go, and in docs/protocol.md, which TestFaultTable compares.
func TestFaultMatrix(t *testing.T) {
	m := newMatrix(t, trials())
	w := m.begin()
	m.flow(t, func(x *trial) { m.send(t, x, remove(app(1))) })
	m.each(t, "first", m.first)
	for _, x := range m.trials {
		x.arm(t)
	}
	m.jump(2 * patience.Fresh) // the second ticket begins with a read
	m.flow(t, func(x *trial) { m.second(t, x) })
	m.each(t, "second", m.ended)
	m.early, m.noted = m.calls(), time.Now()
	for _, x := range m.trials {
		x.heal()
	}
	m.jump(time.Hour) // pauses are over, and tokens
	m.flow(t, func(x *trial) { m.send(t, x, remove(app(3))) })
	m.each(t, "third", m.mended)
	w.stop()
	m.late = m.calls()
	m.each(t, "calls", m.whole)
	m.counted(t)
	m.keepsSecrets(t)
}

// patience is a Timing with short waits, and room for a busy machine: only what
// the simulator holds up is slow.
var patience = ledger.Timing{
	Fresh: time.Minute, Lag: 60 * time.Millisecond, Hold: 8 * time.Hour,
	Settle: 250 * time.Millisecond, Skew: 20 * time.Millisecond, Budget: 4 * time.Second,
}

// firstPause is the longest first pause after a 429 that asks for nothing.
const firstPause = 5 * time.Second

// slow is longer than a call may take.
var slow = patience.Budget + 500*time.Millisecond

// A row is a line of the table: faults that the relay need not tell apart, and
// what becomes of the second ticket.
type row struct {
	fault string           // what goes wrong
	op    string           // "post", "get" or "token"
	at    []graphsim.Point // when it strikes
	kind  string           // of package graph; "ok" if the call succeeds; "" if there is none
	does  string           // what the relay does
	ends  ending
	calls int             // POSTs of the second ticket, the prelude's apart; 0: not counted
	takes int             // POSTs of the second ticket that took effect, at most; 0 is one
	again []time.Duration // the least and the most of how long the device is put back; nil: not looked at
	hows  []how
}

// A how is one of a row's faults.
type how struct {
	name   string
	fault  graphsim.Fault                // its Op, Device and Point are the row's
	date   time.Duration                 // from now: the fault's Retry-After as a date
	lasts  bool                          // it meets more than one request
	sim    func(*trial, *graphsim.Knobs) // turns the trial's own simulator, before the first ticket
	turn   func(*testing.T, *trial)      // and after it
	mend   func(*trial)                  // when the fault was met
	heal   func(*trial)                  // before the third ticket
	ask    []events.Change               // the second ticket; nil: remove app B
	unseen bool                          // net/http may repeat the request by itself, on an HTTP/1 connection that was used before
	knobs  func(*graphsim.Knobs)         // what sim and turn do to the knobs
	cae    bool                          // the client takes claims challenges
}

var (
	before = []graphsim.Point{graphsim.BeforeApply}
	after  = []graphsim.Point{graphsim.AfterApply}
	both   = []graphsim.Point{graphsim.BeforeApply, graphsim.AfterApply}
)

// An ending is what becomes of the second ticket, and of the third when all is
// mended. A set is the apps under removal, by their letters.
type ending struct {
	text     string
	second   []events.Outcome // one of them; none: it is put off, and ends with the third
	held     string           // what Graph holds then
	believed string           // and what the document says, if that is not it
	third    events.Outcome
	last     string  // what both say in the end
	retried  *ending // at a retry, if that is another
}

var (
	told = ending{"`accepted`", []events.Outcome{events.Accepted}, "AB", "", events.Accepted, "ABC", nil}
	so   = ending{"`accepted`, or `unchanged` if a read comes first", []events.Outcome{events.Accepted, events.Unchanged}, "AB", "", events.Accepted, "ABC", nil}
	no   = ending{"`refused`, dead letter; the other tickets' items stay", []events.Outcome{events.Refused}, "A", "", events.Accepted, "AC", nil}
	ask  = ending{"`approval_required`, dead letter", []events.Outcome{events.ApprovalRequired}, "A", "", events.Accepted, "AC", nil}
	off  = ending{"nothing ends and nobody is blamed; `accepted` when it is mended, or else `expired`", nil, "A", "", events.Accepted, "ABC", nil}
)

// with is the ending with another set.
func (e ending) with(text, held, believed, last string) ending {
	e.text, e.held, e.believed, e.last = text, held, believed, last
	return e
}

// undone is the ending with others sets at a retry.
func (e ending) undone(held, believed, last string) ending {
	r := e.with(e.text, held, believed, last)
	e.retried = &r
	return e
}

func rows() []row { return slices.Concat(callRows(), readRows(), tokenRows(), switchRows()) }

// trials are the cells of the matrix.
func trials() (xs []*trial) {
	for _, r := range rows() {
		for i, h := range r.hows {
			for _, p := range r.at {
				for _, retry := range []bool{false, true} {
					if !retry || !h.own() { // a switch does not count requests
						xs = append(xs, newTrial(len(xs)+1, r, h, p, retry, r.via(i+int(p))))
					}
				}
			}
		}
	}
	return xs
}

func newTrial(n int, r row, h how, p graphsim.Point, retry bool, via string) *trial {
	if retry && r.ends.retried != nil {
		r.ends, r.calls = *r.ends.retried, r.calls+1
	}
	return &trial{
		row: r, how: h, point: p, retry: retry, via: via, n: n,
		name:   fmt.Sprintf("%s %s/%s, %s", r.op, via, h.name, when(p, retry)),
		device: fmt.Sprintf("0f9a6d1e-7b0a-4d0e-9a52-%012x", n),
	}
}

// via is the request at which a fault is met: one for a token is by whatever
// needs it, which is a read or a call in turn.
func (r row) via(n int) string {
	if r.op == "token" {
		return []string{"get", "post"}[n%2]
	}
	return r.op
}

func when(p graphsim.Point, retry bool) string {
	return []string{"before", "after"}[p] + map[bool]string{false: " first", true: " retry"}[retry]
}

// own reports whether it needs a simulator of its own.
func (h how) own() bool { return h.sim != nil || h.turn != nil }
