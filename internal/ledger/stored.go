package ledger

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"changerelay/internal/events"
)

// Versions of the form in which documents are stored. A reader refuses forms it
// does not know, so that an old worker in a rolling upgrade leaves a newer
// document alone instead of losing half of it. Fields may be added within a
// version only if an older worker may drop them without harm.
//
// A document is written in the oldest version that can say it, so that workers
// of the release before go on with all others. Version 2 has events that restore
// everything, and events that are to be told with an approval's code. When these
// are told and reported, what they leave behind is of version 1 again.
const (
	Version1 = 1
	Version2 = 2 // to restore everything; approvals
)

// version is the oldest that can say what is in the document.
func (d Device) version() int {
	for _, e := range d.Pending {
		if e.RestoresAll() || e.Approval != "" {
			return Version2
		}
	}
	if slices.ContainsFunc(d.Reports, func(r Report) bool { return r.RestoresAll() }) {
		return Version2
	}
	return Version1
}

// The stored form names each item once and points at it from everywhere else:
// a change is the item's place in the table plus one, negative for a restore, and
// 0 for everything. Reasons, request ids and codes, which many reports share, are
// kept likewise.
type storedDevice struct {
	Version int            `json:"v"`
	Items   []events.Item  `json:"items,omitempty"`
	Texts   []string       `json:"texts,omitempty"`
	SeenAt  stamp          `json:"seen,omitzero"`
	Held    []int          `json:"held,omitempty"`
	Own     bool           `json:"own,omitempty"` // dropped, the next read says it again
	Pending []storedEntry  `json:"pending,omitempty"`
	Told    []storedWord   `json:"told,omitempty"`
	Floor   *storedOrder   `json:"floor,omitempty"`
	Attempt *storedAttempt `json:"attempt,omitempty"`
	Doubts  []storedDoubt  `json:"doubts,omitempty"`
	Retell  bool           `json:"retell,omitempty"`
	Called  stamp          `json:"called,omitzero"`
	Blame   *storedBlame   `json:"blame,omitempty"`
	Reports []storedReport `json:"reports,omitempty"`
}

type storedOrder struct {
	Time stamp  `json:"t"`
	Seq  uint64 `json:"s"`
	Key  string `json:"k"`
}

type storedEntry struct {
	storedOrder
	Message  uint64 `json:"m,omitempty"` // omitted when it is Seq
	Accepted stamp  `json:"a"`
	Ticket   string `json:"n,omitempty"`
	Target   string `json:"g,omitempty"`
	Changes  []int  `json:"c"`
	Attempts int    `json:"x,omitempty"`
	Approval string `json:"p,omitempty"` // Version2

	// Dropped without harm.
	Folded   int64  `json:"d,omitempty"` // milliseconds after Accepted
	Called   int64  `json:"l,omitempty"`
	Requests []int  `json:"w,omitempty"` // places in the texts plus one
	Winner   int    `json:"b,omitempty"` // likewise: key, space, ticket
	Trace    string `json:"z,omitempty"` // dropped, a trace ends early
}

type storedWord struct {
	storedOrder
	Change  int   `json:"c"`
	At      stamp `json:"at"`
	Yielded bool  `json:"y,omitempty"`
}

type storedAttempt struct {
	ID    string   `json:"id"`
	Keys  []string `json:"keys,omitempty"`
	Set   []int    `json:"set,omitempty"`
	Begun stamp    `json:"begun"`
	Until stamp    `json:"until"`
}

type storedDoubt struct {
	Set   []int `json:"set,omitempty"`
	News  []int `json:"news,omitempty"`
	Until stamp `json:"until"`
}

type storedBlame struct {
	Suspect string `json:"k,omitempty"`
	Reason  string `json:"r,omitempty"`
	Request string `json:"q,omitempty"`
	Probe   int    `json:"probe,omitempty"`
}

type storedReport struct {
	storedEntry
	Outcome events.Outcome `json:"o"`
	Reason  int            `json:"r,omitempty"` // place in the texts plus one
	Request int            `json:"q,omitempty"`
	Code    int            `json:"f,omitempty"` // dropped, the reason has it
	Ended   stamp          `json:"e"`
}

// A stamp is a time as seconds and nanoseconds since 1970: shorter than text,
// exact, and without a zone. Zero is the zero time.
type stamp struct{ time.Time }

func (s stamp) MarshalJSON() ([]byte, error) { return s.append(nil), nil }

func (s *stamp) UnmarshalJSON(b []byte) error {
	whole, part, _ := strings.Cut(strings.Trim(string(b), `"`), ".")
	sec, err := strconv.ParseInt(whole, 10, 64)
	var nsec int64
	if err == nil && part != "" {
		nsec, err = strconv.ParseInt((part + "000000000")[:9], 10, 64)
	}
	if err != nil {
		return fmt.Errorf("reading time %s: want seconds or \"seconds.nanoseconds\"", b)
	}
	s.Time = time.Unix(sec, nsec).UTC()
	return nil
}

// encode returns the document's stored form.
func (d Device) encode() []byte { return d.stored().bytes() }

func (d Device) stored() storedDevice {
	var t table
	s := storedDevice{
		Version: d.version(), SeenAt: stamp{d.View.At}, Held: t.places(d.View.Held), Own: d.View.Own,
		Retell: d.Retell, Called: stamp{d.Called},
	}
	for _, e := range d.Pending {
		s.Pending = append(s.Pending, t.entry(e))
	}
	for _, r := range d.Reports {
		s.Reports = append(s.Reports, storedReport{t.entry(r.Entry), r.Outcome, t.say(r.Reason), t.say(r.Request), t.say(r.Approval), stamp{r.Ended}})
	}
	for _, w := range d.words() {
		s.Told = append(s.Told, storedWord{order(w.Order), t.change(events.Change{Intent: w.Intent, Item: w.Item}), stamp{w.At}, w.Yielded})
	}
	for _, b := range d.Doubts {
		s.Doubts = append(s.Doubts, storedDoubt{t.places(b.Set), t.places(b.News), stamp{b.Until}})
	}
	if d.Floor != (Order{}) {
		f := order(d.Floor)
		s.Floor = &f
	}
	if a := d.Attempt; a != nil {
		s.Attempt = &storedAttempt{a.ID, a.Keys, t.places(a.Set), stamp{a.Begun}, stamp{a.Until}}
	}
	if d.Blame != nil {
		b := storedBlame(*d.Blame)
		s.Blame = &b
	}
	s.Items, s.Texts = t.items.all, t.texts.all
	return s
}

// decode reads a stored document.
func decode(b []byte) (Device, error) {
	if err := known(b); err != nil {
		return Device{}, err
	}
	var s storedDevice
	if err := json.Unmarshal(b, &s); err != nil {
		return Device{}, fmt.Errorf("reading stored document: %w", err)
	}
	r := reader{version: s.Version, items: s.Items, texts: s.Texts}
	d := Device{View: View{s.SeenAt.Time, r.set(s.Held), s.Own}, Told: map[string]Word{}, Retell: s.Retell, Called: s.Called.Time}
	for _, e := range s.Pending {
		d.Pending = append(d.Pending, r.entry(e))
	}
	for _, o := range s.Reports {
		d.Reports = append(d.Reports, Report{r.entry(o.storedEntry), o.Outcome, r.said(o.Reason), r.said(o.Request), r.said(o.Code), o.Ended.Time})
	}
	for _, w := range s.Told {
		c := r.change(w.Change)
		d.Told[c.Item.ID] = Word{w.order(), c.Item, c.Intent, w.At.Time, w.Yielded}
	}
	for _, o := range s.Doubts {
		d.Doubts = append(d.Doubts, Doubt{r.set(o.Set), r.set(o.News), o.Until.Time})
	}
	if s.Floor != nil {
		d.Floor = s.Floor.order()
	}
	if a := s.Attempt; a != nil {
		d.Attempt = &Attempt{a.ID, a.Keys, r.set(a.Set), a.Begun.Time, a.Until.Time}
	}
	if s.Blame != nil {
		b := Blame(*s.Blame)
		d.Blame = &b
	}
	return d, r.err
}

// known returns nil if the stored document is of a version that this program
// knows. It looks first for how encode begins.
func known(b []byte) error {
	if head := len(`{"v":1`); len(b) > head && (b[head] == ',' || b[head] == '}') && (string(b[:head]) == `{"v":1` || string(b[:head]) == `{"v":2`) {
		return nil
	}
	var v struct {
		Version int `json:"v"`
	}
	if err := json.Unmarshal(b, &v); err != nil {
		return fmt.Errorf("reading stored document: %w", err)
	}
	if v.Version != Version1 && v.Version != Version2 {
		return fmt.Errorf("stored document has version %d and this program knows %d and %d: run a worker that knows it", v.Version, Version1, Version2)
	}
	return nil
}

// words returns the tombstones sorted by item id.
func (d Device) words() []Word {
	return slices.SortedFunc(maps.Values(d.Told), func(a, b Word) int { return strings.Compare(a.Item.ID, b.Item.ID) })
}

func itemsOf(told map[string]Word) map[string]events.Item {
	m := make(map[string]events.Item, len(told))
	for id, w := range told {
		m[id] = w.Item
	}
	return m
}

func order(o Order) storedOrder { return storedOrder{stamp{o.Time}, o.Seq, o.Key} }

func (o storedOrder) order() Order { return Order{o.Time.Time, o.Seq, o.Key} }
