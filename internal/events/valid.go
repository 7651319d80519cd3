package events

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// New returns e in canonical form if it may exist; otherwise its error is an
// *InvalidError whose Field is the field's path on the wire. It is the one home
// of what an event may say: Parse ends here, and so do the decoders of ticket
// systems. e and its slice stay as they are.
func New(e Event, now time.Time) (Event, error) {
	e.Time = e.Time.Round(0).UTC() // without a monotonic reading, which the wire has not
	var wrong string
	e.Target, wrong = newTarget(e.Target)
	if e.Device == "" && wrong == "" {
		e.Device = e.Target.Device()
	}
	for _, f := range []struct{ field, reason string }{
		{"id", refuseText(e.ID, MaxID, "the sender's id of this request, new for each request")},
		{"source", refuseSource(e.Source)},
		{"time", refuseTime(e.Time, now)},
		{"subject", refuseTicket(e.Ticket)},
		{"data.tenant", refuseTenant(e.Tenant)},
		{"data.target", wrong},
		{"data.device", e.refuseDevice()},
	} {
		if f.reason != "" {
			return Event{}, &InvalidError{f.field, f.reason}
		}
	}
	e.Tenant, e.Device = lower(e.Tenant), lower(e.Device)
	var err error
	if e.Changes, err = canonical(e.Changes); err != nil {
		return Event{}, err
	}
	return e, nil
}

// canonical returns a valid copy of changes, sorted by item id.
func canonical(changes []Change) ([]Change, error) {
	switch n := len(changes); {
	case n == 0:
		return nil, &InvalidError{"data.changes", fmt.Sprintf("is required: 1 to %d changes", MaxItems)}
	case n > MaxItems:
		return nil, &InvalidError{"data.changes", fmt.Sprintf("has %d changes; at most %d fit one event, and one device's set in Intune", n, MaxItems)}
	}
	changes = slices.Clone(changes)
	first := make(map[string]int, len(changes))
	for i := range changes {
		c := &changes[i]
		if c.Intent == RestoreAll {
			if err := refuseAll(*c, i, len(changes)); err != nil {
				return nil, err
			}
			continue
		}
		if c.Intent != Remove && c.Intent != Restore {
			return nil, &InvalidError{changePath(i) + ".intent", given(string(c.Intent), "is not an intent") + "; want remove, restore or restore_all"}
		}
		if reason := refuseItemID(c.Item.ID); reason != "" {
			return nil, &InvalidError{changePath(i) + ".item.id", reason}
		}
		if !slices.Contains(ItemTypes, c.Item.Type) {
			return nil, &InvalidError{changePath(i) + ".item.type", given(string(c.Item.Type), "is not an item type") + "; want " + list(ItemTypes, "or")}
		}
		c.Item.ID = lower(c.Item.ID)
		if j, twice := first[c.Item.ID]; twice {
			return nil, &InvalidError{changePath(i) + ".item.id", fmt.Sprintf("is the item of data.changes[%d] too, and data.changes[%d] may not change it again; name each item once", j, i)}
		}
		first[c.Item.ID] = i
	}
	slices.SortFunc(changes, func(a, b Change) int { return strings.Compare(a.Item.ID, b.Item.ID) })
	return changes, nil
}

const noItem = "is given, but restore_all means every item of the device; leave it out, or say restore"

// refuseAll judges change i of n, which is to restore everything.
func refuseAll(c Change, i, n int) error {
	switch {
	case c.Item != (Item{}):
		return &InvalidError{changePath(i) + ".item", noItem}
	case n > 1:
		return &InvalidError{changePath(i) + ".intent", fmt.Sprintf("restore_all is one of %d changes; it means every item, so let it be the event's only change", n)}
	}
	return nil
}

func changePath(i int) string { return fmt.Sprintf("data.changes[%d]", i) }

// lower writes A-Z small and leaves all else: strings.ToLower would make a k of
// the Kelvin sign, and one tenant of two.
func lower(s string) string {
	if !strings.ContainsAny(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") {
		return s
	}
	return strings.Map(func(c rune) rune {
		if 'A' <= c && c <= 'Z' {
			return c + ('a' - 'A')
		}
		return c
	}, s)
}

// refuseText says why s is no text of at most most bytes, or "". It refuses
// U+FFFD, which stands where a sender, or our JSON reader, met half a surrogate
// pair: two different ids would look the same.
func refuseText(s string, most int, what string) string {
	switch {
	case strings.TrimSpace(s) == "":
		return "is required: " + what
	case len(s) > most:
		return fmt.Sprintf("has %d bytes; at most %d are taken", len(s), most)
	case !utf8.ValidString(s) || strings.ContainsRune(s, utf8.RuneError):
		return "has broken characters; send it as valid UTF-8"
	case strings.ContainsFunc(s, unicode.IsControl):
		return "has control characters, such as a line break or tab; send it without"
	}
	return ""
}

func refuseSource(s string) string {
	if reason := refuseText(s, MaxID, "a URI reference of the sending system, such as /servicenow/acme"); reason != "" {
		return reason
	}
	if _, err := url.Parse(s); err != nil || !isVisible(s) {
		return fmt.Sprintf("%q is not a URI reference; want one such as /servicenow/acme, with spaces and accents percent-encoded", clip(s))
	}
	return ""
}

// IsTicket reports whether an event's subject may be s.
func IsTicket(s string) bool { return refuseTicket(s) == "" }

func refuseTicket(s string) string {
	if reason := refuseText(s, MaxTicket, "the ticket's number, such as CHG0031337"); reason != "" {
		return reason
	}
	if strings.TrimSpace(s) != s {
		return fmt.Sprintf("%q starts or ends with a space; send the ticket's number alone", clip(s))
	}
	return ""
}

func refuseTenant(s string) string {
	if !isTenant(lower(s)) {
		return given(s, "is not a tenant's name") + fmt.Sprintf("; want 1 to %d of a-z, 0-9 and -, starting with a letter or digit", MaxTenant)
	}
	return ""
}

// refuseDevice judges the event's device, which only a target makes needless.
func (e Event) refuseDevice() string {
	named := e.Target.Device()
	switch {
	case e.Device == "" && e.Target != "":
		return ""
	case named != "" && lower(e.Device) != named:
		return given(e.Device, "is not the device of data.target") + "; leave one of the two out"
	}
	return refuseDevice(e.Device)
}

func refuseDevice(s string) string {
	switch {
	case !isUUID(lower(s)):
		return given(s, "is not a UUID") + "; want the Intune device id, such as 0f9a6d1e-7b0a-4d0e-9a52-3c1b7f0a1d11, without braces"
	case strings.Trim(s, "0-") == "":
		return "is the all-zero UUID, which no device has; want the Intune device id"
	}
	return ""
}

func refuseItemID(s string) string {
	if s == "" || len(s) > MaxItemID || !isVisible(s) || strings.ContainsAny(s, "\"'`\\") {
		return given(s, "is not an item id") + fmt.Sprintf("; want the id of the app or policy in Intune: 1 to %d ASCII characters without spaces, quotes and backslashes", MaxItemID)
	}
	return ""
}

// earliest is before any ticket; a time before it is a clock that was never set.
var earliest = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

func refuseTime(t, now time.Time) string {
	switch {
	case t.IsZero():
		return "is required: when the change was approved, such as 2026-11-23T10:00:00Z"
	case t.Before(earliest):
		return "is before 2000-01-01; want when the change was approved"
	case t.After(now.Add(FutureSlack)):
		return fmt.Sprintf("%s is ahead of the clock here, %s; check the sender's clock and time zone", t.Format(time.RFC3339), now.UTC().Format(time.RFC3339))
	}
	return ""
}

// parseTime reads an RFC 3339 time. time.Parse alone takes more than that: one
// digit for the hour, a comma before the fraction, zones such as +24:60.
func parseTime(s string) (time.Time, bool) {
	const clock = "0000-00-00T00:00:00"
	if len(s) < len(clock) || !isShape(s[:len(clock)], clock) {
		return time.Time{}, false
	}
	zone := s[len(clock):]
	if fraction, ok := strings.CutPrefix(zone, "."); ok {
		zone = strings.TrimLeft(fraction, "0123456789")
		if n := len(fraction) - len(zone); n < 1 || n > 9 { // beyond nanoseconds it would be cut off
			return time.Time{}, false
		}
	}
	if zone != "Z" && (!isShape(zone, "+00:00") && !isShape(zone, "-00:00") || zone[1:3] > "23" || zone[4:] > "59") {
		return time.Time{}, false
	}
	t, err := time.Parse(time.RFC3339Nano, s)
	return t.UTC(), err == nil
}

// isShape compares s with a shape in which 0 stands for any digit.
func isShape(s, shape string) bool {
	if len(s) != len(shape) {
		return false
	}
	for i := range len(s) {
		if digit := '0' <= s[i] && s[i] <= '9'; shape[i] == '0' && !digit || shape[i] != '0' && s[i] != shape[i] {
			return false
		}
	}
	return true
}

// isVisible accepts printable ASCII without the space.
func isVisible(s string) bool {
	for i := range len(s) {
		if s[i] < '!' || s[i] > '~' {
			return false
		}
	}
	return true
}
