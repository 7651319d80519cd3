package source

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"changerelay/internal/events"
)

// A record is one ticket in a body.
type record struct {
	formDecoder
	doc      any
	place    string // among the records of the body; "" if it is the only one
	delivery Delivery
}

// text is the plain value of a meaning without the spaces that people paste
// around ids; "" if it is not there, or null.
func (r record) text(meaning string) (string, error) {
	v, _ := r.value(meaning)
	if _, isBool := v.(bool); isBool || !isPlain(v) {
		return "", invalid(r.name(meaning), "want one plain value: text, a number, or an option with a value")
	}
	text := strings.TrimSpace(words(v))
	if why := unset(text); why != "" {
		return "", invalid(r.name(meaning), why)
	}
	return text, nil
}

// value is what stands at the path of a meaning.
func (r record) value(meaning string) (v any, there bool) {
	v, _, there = r.paths[meaning].find(r.doc)
	return v, there
}

// name is a meaning as the sender knows it: its path.
func (r record) name(meaning string) string {
	_, name, _ := r.paths[meaning].find(r.doc)
	return cmp.Or(name, meaning)
}

// event translates the record. What it takes as it is, events.New judges.
// Arrival says that the record states no time, so that the event's is that of
// its arrival.
func (r record) event() (e events.Event, arrival bool, err error) {
	if err := r.judge(); err != nil {
		return e, false, err
	}
	if r.check != nil {
		if err := r.check(r); err != nil {
			return e, false, err
		}
	}
	e = events.Event{Source: r.source}
	for _, f := range []struct {
		meaning string
		to      *string
	}{{Ticket, &e.Ticket}, {Device, &e.Device}, {Tenant, &e.Tenant}} {
		if *f.to, err = r.text(f.meaning); err != nil {
			return e, false, err
		}
	}
	e.Tenant = cmp.Or(e.Tenant, r.tenant)
	if e.Time, arrival, err = r.when(); err != nil {
		return e, false, err
	}
	if e.ID, err = r.id(e, arrival); err != nil {
		return e, false, err
	}
	if e.Changes, err = r.changes(); err != nil {
		return e, false, err
	}
	made, err := events.New(e, r.delivery.Now)
	return made, arrival, r.translate(err)
}

// judge returns nil if the record is an approval, and *Ignored if not.
func (r record) judge() error {
	if r.skip != nil {
		if why := r.skip(r.doc); why != "" {
			return &Ignored{why}
		}
	}
	if r.approval != nil {
		why, err := r.approval(r)
		if why != "" {
			return &Ignored{why}
		}
		return err
	}
	return r.judgeWord()
}

// judgeWord looks for one of the words that approve.
func (r record) judgeWord() error {
	v, there := r.value(Approval)
	word := strings.TrimSpace(words(v))
	switch {
	case r.paths[Approval] == nil: // the sender sends approvals only
		return nil
	case !there: // not Ignored: a template that forgot the field would lose every change silently
		return invalid(r.name(Approval), "is required: it says whether the record is approved; have the sender send it")
	case !isPlain(v):
		return invalid(r.name(Approval), "want the word that says whether the record is approved, as text")
	case isPlaceholder(word): // the same
		return invalid(r.name(Approval), unset(word))
	case !r.approves(word):
		return &Ignored{fmt.Sprintf("the record is not approved: %s does not say %s", r.name(Approval), strings.Join(r.approved, " or "))}
	}
	return nil
}

// approves reports whether a word is one that approves, in any letters.
func (r record) approves(word string) bool {
	return slices.ContainsFunc(r.approved, func(w string) bool { return strings.EqualFold(w, strings.TrimSpace(word)) })
}

// translate names the sender's field in place of the event's.
func (r record) translate(err error) error {
	var e *events.InvalidError
	if !errors.As(err, &e) {
		return err
	}
	field := e.Field
	switch {
	case field == "id":
		field = r.name(r.named())
	case field == "subject":
		field = r.name(Ticket)
	case field == "time":
		field = r.name(Time)
	case field == "data.device":
		field = r.name(Device)
	case field == "data.tenant":
		field = r.name(Tenant)
	case strings.HasSuffix(field, ".item.type"):
		field = r.name(ItemType)
	case strings.HasSuffix(field, ".intent"):
		field = r.name(Intent)
	case strings.HasPrefix(field, "data.changes"):
		field = r.name(Items)
	}
	return invalid(field, e.Reason)
}

func invalid(field, reason string) *events.InvalidError {
	return &events.InvalidError{Field: field, Reason: reason}
}
