package ledger

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"changerelay/internal/events"
)

// What a document says of its events, at each step of their way.
func TestStanding(t *testing.T) {
	one, two, three := word(1, t0, remove("a")...), word(2, later(time.Second), remove("b")...), word(3, later(2*time.Second), remove("c")...)
	seen := Device{}.Fold(one).Fold(two).See(shows(later(time.Minute)), timing)
	begun := later(time.Minute + time.Second)
	open := seen.Begin("x", begun, timing)
	until := begun.Add(timing.Budget + timing.Skew + timing.Lag)
	lost := begun.Add(20*time.Second + timing.Skew + timing.Lag)
	inDoubt := must(t)(open.InDoubt("x", begun.Add(20*time.Second), timing))
	oneByOne := must(t)(open.Refused("x", "400", "r", begun))
	probed := must(t)(oneByOne.Fold(three).Begin("y", begun, timing).Refused("y", "400", "r", begun)) // on top of nothing held: to blame at once
	suspected := refuse(t, Device{}.Fold(two).See(shows(later(time.Minute), "h"), timing), "z", later(time.Minute), "b", "h")
	full := Device{}
	for i := range MaxEvents {
		full = full.Fold(word(100+i, t0, remove("a")...))
	}
	doubtful := seen
	for i := range MaxDoubts {
		doubtful.Doubts = append(doubtful.Doubts, Doubt{Set: list(fmt.Sprint(i)), Until: later(time.Duration(10+i) * time.Minute)})
	}
	for name, c := range map[string]struct {
		d      Device
		e      Entry
		now    time.Time
		state  events.State
		since  time.Time
		until  time.Time
		reason string // part of it; "" wants none
	}{
		"not folded":                 {Device{}, one, t0, events.Queued, time.Time{}, time.Time{}, ""},
		"folded":                     {Device{}.Fold(one), one, t0, events.Folded, time.Time{}, time.Time{}, ""},
		"read":                       {seen, one, begun, events.Folded, time.Time{}, time.Time{}, ""},
		"no room":                    {full, one, t0, events.Waiting, time.Time{}, time.Time{}, "document is full"},
		"in a full document":         {full, word(100, t0), t0, events.Folded, time.Time{}, time.Time{}, ""},
		"called":                     {open, one, begun, events.Called, begun, time.Time{}, ""},
		"called, just within time":   {open, one, begun.Add(timing.Budget - 1), events.Called, begun, time.Time{}, ""},
		"not heard of in time":       {open, one, begun.Add(timing.Budget), events.Waiting, time.Time{}, until, "answer to its call was lost"},
		"answer lost":                {inDoubt, one, begun.Add(21 * time.Second), events.Waiting, time.Time{}, lost, "answer to its call was lost"},
		"lost, and to be read now":   {inDoubt, one, lost.Add(time.Hour), events.Waiting, time.Time{}, lost, "answer to its call was lost"},
		"came during a call":         {open.Fold(three), three, begun, events.Waiting, time.Time{}, until, "another call for the device is under way"},
		"came after a lost answer":   {inDoubt.Fold(three), three, begun.Add(21 * time.Second), events.Waiting, time.Time{}, lost, "a call for the device was lost"},
		"refused together: first":    {oneByOne, one, begun, events.Folded, time.Time{}, time.Time{}, ""},
		"refused together: second":   {oneByOne, two, begun, events.Waiting, time.Time{}, time.Time{}, "another one's turn"},
		"refused alone":              {probed, one, begun, events.Waiting, time.Time{}, time.Time{}, "it has ended as refused, which is being reported"},
		"the next one's turn":        {probed, two, begun, events.Folded, time.Time{}, time.Time{}, ""},
		"suspect":                    {suspected, two, begun, events.Waiting, time.Time{}, time.Time{}, "Graph refused it"},
		"beside a suspect":           {suspected.Fold(three), three, begun, events.Waiting, time.Time{}, time.Time{}, "Graph refused another change"},
		"while a probe is under way": {suspected.Begin("p", begun, timing), two, begun, events.Waiting, time.Time{}, until, "Graph refused it"},
		"too many doubts":            {doubtful, one, begun, events.Waiting, time.Time{}, later(10 * time.Minute), "had no answer"},
		"told, to be reported":       {must(t)(open.Accepted("x", "r", begun)), one, begun, events.Waiting, time.Time{}, time.Time{}, "it has ended as accepted"},
		"told and reported":          {must(t)(open.Accepted("x", "r", begun)).Reported("key01"), one, begun, events.Queued, time.Time{}, time.Time{}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			got := c.d.Standing(c.e, c.now, timing)
			if got.State != c.state || !got.Since.Equal(c.since) || !got.Until.Equal(c.until) ||
				(c.reason == "") != (got.Reason == "") || !strings.Contains(got.Reason, c.reason) {
				t.Errorf("got %+v", got)
			}
			if calls := got.State == events.Folded || got.State == events.Waiting && !strings.Contains(got.Reason, "reported"); got.Calls != calls {
				t.Errorf("a request to Graph comes next: %t", got.Calls)
			}
			if d, err := decode(c.d.encode()); err != nil || d.Standing(c.e, c.now, timing) != got {
				t.Errorf("stored and read again: %+v, %v; want %+v", d.Standing(c.e, c.now, timing), err, got)
			}
		})
	}
}
