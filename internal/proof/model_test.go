package proof

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"time"
)

// A model is a relay without faults, written in a few lines: it is what histories
// are made by that no promise is broken in.
type model struct {
	r       *rand.Rand
	h       History
	now     time.Time
	seq     uint64
	call    int
	order   int
	words   map[Device]map[string]*Event // newest
	waiting map[Device][]*Event          // not told
	portal  map[Device]map[string]bool   // admins' removals
	held    map[Device]map[string]bool
}

var start = time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)

func perfect(seed int64) History {
	m := &model{r: rand.New(rand.NewPCG(uint64(seed), 1)), now: start,
		words: map[Device]map[string]*Event{}, waiting: map[Device][]*Event{}, portal: map[Device]map[string]bool{}, held: map[Device]map[string]bool{}}
	m.h = History{Seed: seed, Began: start, Limits: Limits{Calls: 3, Window: 3 * time.Second, MaxAge: 4 * time.Hour, Fresh: time.Second}}
	m.h.Stored = make([]Event, 0, 1000) // pointers into it stay good
	devices := []Device{{"acme", "a"}, {"acme", "b"}, {"umbrella", "c"}}
	for _, d := range devices {
		m.words[d], m.portal[d], m.held[d] = map[string]*Event{}, map[string]bool{}, map[string]bool{}
	}
	for range 60 {
		d := devices[m.r.IntN(len(devices))]
		switch m.pass(2 * time.Second); m.r.IntN(8) {
		case 0:
			m.edit(d)
		case 1:
			m.refuse(d)
		case 2, 3, 4:
			m.tell(d)
		default:
			m.send(d)
		}
	}
	for _, d := range devices {
		m.pass(5 * time.Second)
		m.tell(d)
		m.h.Final = append(m.h.Final, Holding{d, slices.Sorted(maps.Keys(m.held[d]))})
	}
	m.h.Ended = m.now
	return m.h
}

func (m *model) pass(d time.Duration) { m.now = m.now.Add(d) }

func (m *model) event(d Device) *Event {
	m.seq++
	e := Event{ID: fmt.Sprint("e", m.seq), Ticket: fmt.Sprintf("CHG%07d", m.seq), Key: fmt.Sprint("k", m.seq), Device: d, Seq: m.seq,
		Time: m.now.Add(-time.Duration(m.r.IntN(20)) * time.Second), Stored: m.now}
	items := m.r.Perm(4)[:1+m.r.IntN(2)]
	for _, i := range items {
		if item := string(rune('p' + i)); m.r.IntN(3) > 0 {
			e.Remove = append(e.Remove, item)
		} else {
			e.Restore = append(e.Restore, item)
		}
	}
	m.h.Stored = append(m.h.Stored, e)
	m.h.Sent = append(m.h.Sent, Sent{m.now.Add(-time.Millisecond), m.now.Add(time.Millisecond), e.ID, d, true, "202"})
	return &m.h.Stored[len(m.h.Stored)-1]
}

func (m *model) send(d Device) { m.waiting[d] = append(m.waiting[d], m.event(d)) }

func (m *model) end(e *Event, word string) {
	m.h.Outcomes = append(m.h.Outcomes, Outcome{e.ID, e.Device, word, "", e.Stored, m.now})
}

// tell makes one call with all that is waiting.
func (m *model) tell(d Device) {
	waiting := m.waiting[d]
	if len(waiting) == 0 {
		return
	}
	m.waiting[d] = nil
	won := map[*Event]bool{}
	for _, e := range waiting {
		for _, i := range e.items() {
			if old := m.words[d][i]; old == nil || e.newer(old) {
				m.words[d][i] = e
			}
		}
	}
	for i, e := range m.words[d] {
		if slices.Contains(waiting, e) {
			won[e] = true
			delete(m.portal[d], i)
		}
	}
	if len(won) > 0 {
		set := maps.Clone(m.portal[d])
		for i, e := range m.words[d] {
			if _, edited := m.portal[d][i]; !edited {
				if removed, _ := e.says(i); removed {
					set[i] = true
				}
			}
		}
		maps.DeleteFunc(set, func(_ string, removed bool) bool { return !removed })
		m.post(d, set, 204)
		m.held[d] = set
	}
	m.pass(10 * time.Millisecond)
	for _, e := range waiting {
		if won[e] {
			m.end(e, "accepted")
		} else {
			m.end(e, "superseded")
		}
	}
}

func (m *model) post(d Device, set map[string]bool, status int) {
	m.pass(1500 * time.Millisecond)
	m.call++
	c := Call{N: m.call, At: m.now, Done: m.now.Add(100 * time.Millisecond), Device: d, Post: true, Set: slices.Sorted(maps.Keys(set)), Status: status}
	if status == 204 {
		m.order++
		c.Applied, c.Order, c.AppliedAt = true, m.order, m.now.Add(50*time.Millisecond)
	}
	m.h.Calls = append(m.h.Calls, c)
	m.pass(100 * time.Millisecond)
}

func (m *model) refuse(d Device) {
	if len(m.waiting[d]) > 0 {
		return
	}
	e := m.event(d)
	m.post(d, set(e.Remove), 400)
	m.pass(10 * time.Millisecond)
	m.end(e, "refused")
	m.h.Letters = append(m.h.Letters, Letter{e.ID, "refused"})
}

// edit has an admin remove or restore something.
func (m *model) edit(d Device) {
	item := string(rune('p' + m.r.IntN(4)))
	m.order++
	removed := m.r.IntN(2) == 0
	m.h.Edits = append(m.h.Edits, Edit{m.now, d, item, removed, m.order})
	m.portal[d][item] = removed
	m.held[d] = maps.Clone(m.held[d])
	if delete(m.held[d], item); removed {
		m.held[d][item] = true
	}
}
