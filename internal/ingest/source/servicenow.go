package source

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"changerelay/internal/events"
)

// serviceNow reads the flat JSON object that a business rule sends with
// RESTMessageV2: one member for each column, every value a string.
//
// ServiceNow has no delivery id, so the record's version is the event's: its
// sys_id and sys_mod_count. Every later update of an approved record is another
// version, and so a newer word on its items. The business rule must therefore
// run only when approval changes to approved ("Approval changes to Approved" as
// its condition): else a comment on an old ticket says its wish again, over a
// newer ticket's.
type serviceNow struct {
	source, tenant string
	fields         Fields
}

func newServiceNow(c Config) (Decoder, error) {
	f := c.Fields.withDefaults()
	if err := f.check(); err != nil {
		return nil, err
	}
	if c.Tenant == "" {
		return nil, errors.New("tenants: a servicenow source needs exactly one: its records do not name any")
	}
	return serviceNow{source: "/servicenow/" + c.Name, tenant: c.Tenant, fields: f}, nil
}

func (serviceNow) Accepts(mediaType string) bool { return mediaType == "application/json" }

func (s serviceNow) Decode(d Delivery) ([]events.Event, error) {
	columns, err := flatObject(d.Body)
	if err != nil {
		return nil, err
	}
	e, err := s.event(record{columns})
	if err != nil {
		return nil, err
	}
	if e, err = events.New(e, d.Now); err != nil {
		return nil, s.translate(err)
	}
	return []events.Event{e}, nil
}

// event translates a record. What it takes as it is, events.New judges.
func (s serviceNow) event(r record) (events.Event, error) {
	f := s.fields
	approval, sent := r.columns[f.Approval]
	switch {
	case !sent: // not Ignored: a rule that forgot the column would lose every change silently
		return events.Event{}, invalid(f.Approval, "is required; the business rule must send this column")
	case !strings.EqualFold(approval, "approved"): // also the display value
		return events.Event{}, &Ignored{"the record is not approved"}
	}
	updated, err := time.Parse(time.DateTime, r.get(f.UpdatedOn))
	if err != nil || len(r.get(f.UpdatedOn)) != len(time.DateTime) {
		return events.Event{}, invalid(f.UpdatedOn, "want the time of the update in UTC, such as 2026-11-23 10:00:00; send the column's value, not its display value")
	}
	id, err := s.id(r, updated)
	if err != nil {
		return events.Event{}, err
	}
	changes, err := s.changes(r)
	if err != nil {
		return events.Event{}, err
	}
	return events.Event{
		ID: id, Source: s.source, Ticket: r.get(f.Ticket),
		Tenant: s.tenant, Device: r.get(f.Device), Time: updated, Changes: changes,
	}, nil
}

// id names the record's version: the sender's delivery id, made of columns.
func (s serviceNow) id(r record, updated time.Time) (string, error) {
	f := s.fields
	sys, count := r.get(f.SysID), r.get(f.ModCount)
	if sys == "" || strings.Trim(sys, "0123456789abcdefABCDEF") != "" {
		return "", invalid(f.SysID, "want the record's sys_id: hexadecimal digits")
	}
	if count == "" {
		return sys + "-" + updated.Format(time.RFC3339), nil
	}
	if n, err := strconv.ParseUint(count, 10, 63); err != nil || strconv.FormatUint(n, 10) != count {
		return "", invalid(f.ModCount, "want the record's version: a whole number")
	}
	return sys + "-" + count, nil
}

// changes are one intent for each of the record's apps.
func (s serviceNow) changes(r record) ([]events.Change, error) {
	f := s.fields
	intent := events.Remove
	switch action := r.get(f.Action); {
	case action == "" || strings.EqualFold(action, "remove"):
	case strings.EqualFold(action, "restore"):
		intent = events.Restore
	default:
		return nil, invalid(f.Action, "want remove or restore; empty is remove")
	}
	ids := strings.Split(r.get(f.Apps), ",")
	if len(ids) > events.MaxItems {
		return nil, invalid(f.Apps, fmt.Sprintf("has %d ids; at most %d fit one device's set in Intune", len(ids), events.MaxItems))
	}
	var changes []events.Change
	seen := map[string]int{}
	for i, id := range ids {
		id = strings.TrimSpace(id)
		if id == "" && len(ids) > 1 {
			return nil, invalid(f.Apps, fmt.Sprintf("id %d of the list is empty; remove the comma or add the id", i+1))
		}
		if first, twice := seen[strings.ToLower(id)]; twice {
			return nil, invalid(f.Apps, fmt.Sprintf("ids %d and %d of the list are the same; name each once", first, i+1))
		}
		seen[strings.ToLower(id)] = i + 1
		changes = append(changes, events.Change{Intent: intent, Item: events.Item{ID: id, Type: itemType(r.get(f.ItemType))}})
	}
	return changes, nil
}

// itemType takes a type in any letters: choice lists are often all lower case.
func itemType(s string) events.ItemType {
	if s == "" {
		return events.Application
	}
	for _, t := range events.ItemTypes {
		if strings.EqualFold(s, string(t)) {
			return t
		}
	}
	return events.ItemType(s)
}

// translate names the column in place of the event's field.
func (s serviceNow) translate(err error) error {
	var e *events.InvalidError
	if !errors.As(err, &e) {
		return err
	}
	return invalid(s.fields.column(e.Field), e.Reason)
}

// A record is the columns that were sent.
type record struct{ columns map[string]string }

// get returns a column without the spaces that people paste around ids. One
// that is not sent is empty, as ServiceNow sends one without a value.
func (r record) get(column string) string { return strings.TrimSpace(r.columns[column]) }

func invalid(field, reason string) *events.InvalidError {
	return &events.InvalidError{Field: field, Reason: reason}
}
