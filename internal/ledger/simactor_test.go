package ledger

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"changerelay/internal/events"
)

// A simActor is one worker goroutine: a folder or a reconciler. pc is its next
// step; nil is idle. What it holds is lost in a crash.
type simActor struct {
	w      *world
	folder bool
	skew   time.Duration
	pc     func()

	dev    *simDevice
	msg    *simMsg
	pulled time.Time
	redo   bool // the message was delivered before
	seq    int  // of the wake-up
	doc    Device
	rev    int
	copied bool // doc came with the wake-up
	id     string
	sight  Sight
	asked  time.Time // by the world's clock
	called bool      // a call of its is in flight
	known  func()    // runs when its success is written
	end    time.Time
}

func (a *simActor) String() string {
	kind := "reconciler"
	if a.folder {
		kind = "folder"
	}
	return fmt.Sprintf("%s%d", kind, slices.Index(a.w.actors, a))
}

// now is the actor's own clock.
func (a *simActor) now() time.Time { return a.w.now.Add(a.skew) }

// drop forgets everything: a crash, or the end of the work.
func (a *simActor) drop() {
	if a.called {
		a.dev.graph.inflight = slices.DeleteFunc(a.dev.graph.inflight, func(b *simActor) bool { return a == b })
	}
	*a = simActor{w: a.w, folder: a.folder, skew: a.skew}
}

func (a *simActor) step() {
	switch {
	case a.pc != nil:
		a.pc()
	case a.folder:
		a.pull()
	default:
		a.woken()
	}
}

func (a *simActor) load() {
	a.doc, a.rev, a.copied = a.dev.doc, a.dev.rev, false
	if *sloppy == "law1" && a.w.chance(20) {
		a.doc = a.dev.prev // a replica that lags
	}
}

// save is the compare-and-swap.
func (a *simActor) save(d Device) bool {
	if a.rev != a.dev.rev && *sloppy != "swap" && (*sloppy != "copy" || !a.copied) || !a.w.quiet && a.w.chance(40) {
		return false
	}
	if a.w.seed%8 == 0 { // through the stored form
		b := d.encode()
		if len(b) > 64<<10 {
			a.w.fail("document of %d bytes", len(b))
		}
		var err error
		if d, err = decode(b); err != nil {
			a.w.fail("reading back: %v", err)
		}
	}
	a.w.saved(d)
	if d.Retell && !a.dev.doc.Retell {
		a.w.tally["retold"]++
	}
	a.dev.prev, a.dev.doc = a.dev.doc, d
	a.dev.rev++
	a.doc, a.rev, a.copied = d, a.dev.rev, false
	return true
}

// Stage 1.

func (a *simActor) pull() {
	var ready []*simMsg
	for _, m := range a.w.msgs {
		if !m.acked && !a.w.now.Before(m.after) {
			ready = append(ready, m)
		}
	}
	if len(ready) == 0 {
		return
	}
	a.msg = ready[a.w.r.IntN(len(ready))]
	a.dev, a.pulled, a.redo = a.msg.dev, a.now(), a.msg.deliveries > 0
	a.msg.deliveries++
	a.msg.after = a.w.now.Add(simAckWait)
	a.pc = a.foldLoad
}

func (a *simActor) foldLoad() {
	a.load()
	a.msg.acked = a.msg.acked || *sloppy == "early ack"
	a.pc = a.fold
}

// fold writes the document unless the message may by now be somebody else's, or
// its event has ended already.
func (a *simActor) fold() {
	late := a.now().Sub(a.pulled) > simAckWait-simTiming.Skew
	if late && *sloppy != "fence" {
		a.w.tally["zombies"]++
		a.drop()
		return
	}
	if a.redo && len(a.w.final[a.msg.e.Key]) > 0 && *sloppy != "redelivery" {
		a.pc = a.foldWake
		return
	}
	before := len(a.doc.Pending)
	d := a.doc.Fold(a.msg.e)
	a.pc = a.foldLoad
	if a.save(d) {
		a.w.trace("%s %v folds %s", a.w.at(), a, a.msg.e.Key)
		if len(a.w.final[a.msg.e.Key]) > 0 && len(d.Pending) > before {
			a.w.fail("%v folds %s again, which has ended", a, a.msg.e.Key)
		}
		a.pc = a.foldWake
	}
}

func (a *simActor) foldWake() {
	if a.dev.doc.Due() && *sloppy != "law4" || *sloppy == "law4" && a.w.chance(2) {
		a.wakeup()
	}
	a.pc = func() { a.msg.acked = true; a.drop() }
}

// wakeup replaces the device's wake-up, in flight or put back as it may be.
func (a *simActor) wakeup() {
	seq := 1
	if a.dev.wake != nil {
		seq = a.dev.wake.seq + 1
	}
	a.dev.wake = &simWake{seq: seq + a.w.steps*10, doc: a.doc, rev: a.rev}
}

// Stage 2.

func (a *simActor) woken() {
	d := a.w.devices[a.w.r.IntN(len(a.w.devices))]
	if d.wake == nil || a.w.now.Before(d.wake.after) {
		return
	}
	a.dev, a.seq = d, d.wake.seq
	d.wake.after = a.w.now.Add(simAckWait) // redelivered then, if the actor is silent
	a.pc = a.look
	if a.w.chance(2) { // it begins with the copy, however old
		a.doc, a.rev, a.copied = d.wake.doc, d.wake.rev, true
		a.pc = a.obey
		if a.rev < d.rev {
			a.w.tally["old copies"]++
		}
	}
}

func (a *simActor) look() {
	a.load()
	a.pc = a.obey
}

func (a *simActor) obey() {
	if a.dev.wake != nil && a.dev.wake.seq == a.seq {
		a.dev.wake.after = a.w.now.Add(simAckWait) // in progress
	}
	a.pc = a.look
	step := a.doc.Next(a.now(), simTiming)
	if a.copied && (len(a.doc.Reports) > 0 || step != Observe && step != Post) {
		return
	}
	if d := a.doc.Expire(a.now(), a.w.maxAge); len(d.Reports) > len(a.doc.Reports) {
		a.save(d)
		return
	}
	if len(a.doc.Reports) > 0 {
		a.pc = a.report
		return
	}
	switch step {
	case Done:
		a.pc = func() { a.ack(); a.drop() }
	case Wait:
		if w := a.dev.wake; w != nil && w.seq == a.seq {
			w.after = a.w.now.Add(a.doc.WaitUntil().Sub(a.now()))
		}
		a.drop()
	case Observe:
		a.pc = a.read
	case Post:
		a.begin()
	}
}

func (a *simActor) ack() {
	if w := a.dev.wake; w != nil && (w.seq == a.seq || *sloppy == "any wake-up") {
		a.dev.wake = nil
	}
}

// report publishes outcomes, and only then clears them.
func (a *simActor) report() {
	var keys []string
	rs := a.doc.Reports
	for _, r := range rs {
		keys = append(keys, r.Key)
	}
	clear := func() {
		a.load()
		a.save(a.doc.Reported(keys...))
		a.pc = a.look
	}
	if *sloppy == "early clear" {
		clear()
		a.pc = func() { a.publish(rs); a.pc = a.look }
		return
	}
	a.publish(rs)
	a.pc = clear
}

func (a *simActor) publish(rs []Report) {
	for _, r := range rs {
		if len(a.w.final[r.Key]) == 0 { // expected-last-sequence 0
			a.w.final[r.Key] = append(a.w.final[r.Key], r.Outcome)
			a.w.reports[r.Key] = r
			a.w.tally[string(r.Outcome)]++
			if r.RestoresAll() {
				a.w.tally["all "+string(r.Outcome)]++
			}
			if r.Outcome == events.Refused && r.Request == "" {
				a.w.tally["over 30"]++
			}
			a.w.trace("%s %v reports %s %s %s", a.w.at(), a, r.Key, r.Outcome, r.Reason)
		}
	}
}

func (a *simActor) read() {
	at := a.now()
	a.sight, a.asked = a.dev.graph.read(a.w, a.w.now), a.w.now
	a.sight.At, a.sight.Own = at, a.w.own
	a.pc = a.see
}

func (a *simActor) see() {
	if !a.copied {
		a.load()
	}
	a.copied = false // a lost swap reads
	if *sloppy == "read's end" {
		a.sight.At = a.now()
	}
	open := a.doc.Attempt
	if d := a.doc.See(a.sight, simTiming); a.save(d) {
		if open != nil && d.Attempt == nil && a.asked.Before(a.dev.graph.written[open.ID].Add(simTiming.Lag)) {
			a.w.fail("%v closes attempt %s by a read that may not show it", a, open.ID)
		}
		a.w.trace("%s %v sees device %d: removed %v restored %v → held %v retell %v", a.w.at(), a, a.dev.n,
			ids(a.sight.Removed), ids(a.sight.Restored), ids(d.View.Held), d.Retell)
		a.pc = a.look
	}
}

func (a *simActor) begin() {
	a.id = fmt.Sprint("a", a.w.steps)
	d := a.doc.Begin(a.id, a.now(), simTiming)
	a.trimmed(d)
	if !a.save(d) && *sloppy != "unannounced" || d.Attempt == nil {
		return
	}
	a.doc = d
	a.end = d.Attempt.Begun.Add(simTiming.Budget)
	a.dev.graph.written[a.id] = a.end.Add(-a.skew)
	if d.Blame.probing() {
		a.w.tally["probes"]++
	}
	a.pc = a.call
}

// trimmed fails when a newer event that adds to the set was kept and an older
// one refused for want of room.
func (a *simActor) trimmed(d Device) {
	if a.doc.Blame != nil || slices.ContainsFunc(a.doc.Pending, func(e Entry) bool { return e.Approval != "" }) {
		return // one is told at a time
	}
	for _, r := range d.Reports[len(a.doc.Reports):] {
		for _, m := range a.w.msgs {
			kept := m.dev == a.dev && slices.ContainsFunc(d.Pending, func(e Entry) bool { return e.Key == m.e.Key })
			if older := (&simMsg{e: r.Entry, first: r.Order}); kept && m.later(older) && slices.ContainsFunc(m.e.Changes, func(c events.Change) bool {
				_, held := index(a.doc.View.Held)[c.Item.ID]
				return c.Intent == events.Remove && !held && a.doc.outranks(m.e, c)
			}) {
				a.w.fail("there is no room for %s, and %s, which is newer, was kept", r.Key, m.e.Key)
			}
		}
	}
}

func (a *simActor) call() {
	if !a.now().Before(a.end) && *sloppy != "deadline" {
		a.answer(func(d Device) (Device, error) { return d.Released(a.id) })
		return
	}
	at, now := a.doc.Attempt, a.now() // an answer is as old as its call, however late it is written
	g := &a.dev.graph
	for _, o := range g.inflight {
		if o != a && a.w.now.Add(o.skew).Before(o.end) {
			a.w.fail("%v calls Graph for device %d while %v may be calling", a, a.dev.n, o)
		}
	}
	a.called = true
	g.inflight = append(g.inflight, a)
	g.whole(a.w, a.doc, at.Set)
	verdict := g.post(a.w, at.Set)
	a.w.trace("%s %v posts to device %d %v carrying %v: %s", a.w.at(), a, a.dev.n, ids(at.Set), at.Keys, verdict)
	switch verdict {
	case "taken":
		before := a.doc.View.Held
		a.answer(func(d Device) (Device, error) { return d.Accepted(a.id, "rq", now) })
		a.known = func() { g.hide(before, at.Set, a.w.now) }
	case "refused":
		a.answer(func(d Device) (Device, error) { return d.Refused(a.id, "bad", "rq", now) })
	case "died":
		a.drop()
	default:
		a.w.tally["lost replies"]++
		g.written[a.id] = a.w.now
		a.answer(func(d Device) (Device, error) {
			if *sloppy == "blind" {
				return d.Released(a.id)
			}
			return d.InDoubt(a.id, now, simTiming)
		})
	}
}

// answer records the call's answer, on a fresh read, until the swap succeeds.
func (a *simActor) answer(f func(Device) (Device, error)) {
	a.pc = func() {
		a.load()
		d, err := f(a.doc)
		if errors.Is(err, ErrLost) || a.save(d) {
			a.dev.graph.inflight = slices.DeleteFunc(a.dev.graph.inflight, func(b *simActor) bool { return a == b })
			a.called = false
			if a.known != nil && err == nil {
				a.known()
			}
			a.known = nil
			a.pc = a.look
			if *sloppy == "leave" {
				a.pc = func() { a.ack(); a.drop() }
			}
		}
	}
}
