package source

import (
	"cmp"
	"errors"
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

// find is what the path of a meaning leads to.
func (r record) find(meaning string) found { return r.paths[meaning].find(r.doc) }

// name is a meaning as the sender knows it: its path.
func (r record) name(meaning string) string { return cmp.Or(r.find(meaning).at.text, meaning) }

// text is the plain value of a meaning without the spaces that people paste
// around ids; "" if it is not there, or null. A path that somebody configured and
// that leads nowhere is misspelt: what it stands for must not be guessed.
func (r record) text(meaning string) (string, error) {
	f := r.find(meaning)
	if !f.there {
		if r.own[meaning] {
			return "", r.absent(meaning)
		}
		return "", nil
	}
	if why := notPlain(f.value); why != "" {
		return "", invalid(f.at.text, why)
	}
	text := strings.TrimSpace(words(f.value))
	if why := unset(text); why != "" {
		return "", invalid(f.at.text, why)
	}
	return text, nil
}

// need is the text of a meaning that must say something.
func (r record) need(meaning string) (string, error) {
	text, err := r.text(meaning)
	if err == nil && text == "" {
		return "", r.missing(meaning)
	}
	return text, err
}

// event translates the record. Beside an error it has the ticket, if that can be
// told.
func (r record) event() (events.Event, error) {
	e, err := r.read()
	if err != nil {
		e = events.Event{}
		e.Ticket, _ = r.text(Ticket)
	}
	return e, err
}

// read takes what there is as it is, and events.New judges that.
func (r record) read() (e events.Event, err error) {
	if err = r.judge(); err != nil {
		return e, err
	}
	if r.check != nil {
		if err = r.check(r); err != nil {
			return e, err
		}
	}
	e.Source = r.source
	if e.Ticket, err = r.need(Ticket); err != nil {
		return e, err
	}
	if e.Device, err = r.need(Device); err != nil {
		return e, err
	}
	if e.Tenant, err = r.whose(); err != nil {
		return e, err
	}
	if e.Time, e.Arrival, err = r.when(); err != nil {
		return e, err
	}
	if e.ID, err = r.id(e); err != nil {
		return e, err
	}
	if e.Changes, err = r.changes(); err != nil {
		return e, err
	}
	e, err = events.New(e, r.delivery.Now)
	return e, r.translate(err)
}

// whose is the record's tenant, or the source's if it names none.
func (r record) whose() (string, error) {
	if r.tenant == "" {
		return r.need(Tenant)
	}
	text, err := r.text(Tenant)
	return cmp.Or(text, r.tenant), err
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
