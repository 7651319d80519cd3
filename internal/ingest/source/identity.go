package source

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"
	"time"

	"changerelay/internal/events"
)

// id names what happened. The first of these that there is:
//
//	record-version    the sender counts the record's versions, or names the change
//	record-time       the record as it was then
//	delivery          the sender's delivery id, if something vouches for it
//	record-hash       the body's bytes
//
// The record comes before the delivery. What the body says is signed, or comes
// over a channel that is trusted with all; most senders do not sign the delivery
// id, so whoever captured one delivery could send it as many. And a sender that
// tries again, or has two webhooks for one ticket, says the same record twice,
// whatever it calls the deliveries: it is one event. A delivery id that nothing
// vouches for is not used at all. Two changes of one record within the grain of
// its time differ in content, and the second is refused as a conflict, loudly.
func (r record) id(e events.Event, arrival bool) (string, error) {
	own, err := r.text(ID)
	if err != nil {
		return "", err
	}
	if own == "" && r.paths[ID] != nil {
		return "", invalid(r.name(ID), "is required: it tells two records apart")
	}
	version, err := r.text(Version)
	switch {
	case err != nil:
		return "", err
	case version != "":
		return join(own, version), nil
	case !arrival:
		return join(cmp.Or(own, e.Ticket), e.Time.UTC().Format(time.RFC3339Nano)), nil
	case r.delivery.ID != "" && r.delivery.CoversID:
		return join(r.delivery.ID, r.place), nil
	}
	sum := sha256.Sum256(r.delivery.Body)
	return join(join(cmp.Or(own, e.Ticket), hex.EncodeToString(sum[:16])), r.place), nil
}

// named is the meaning to blame for an id.
func (r record) named() string {
	if r.paths[ID] == nil && r.paths[Version] != nil {
		return Version
	}
	return ID
}

func join(own, more string) string {
	if own == "" || more == "" {
		return own + more
	}
	return own + "-" + more
}

// when is the record's time, or that of its arrival if it says none.
func (r record) when() (t time.Time, arrival bool, err error) {
	text, err := r.text(Time)
	if err != nil {
		return t, false, err
	}
	if text == "" {
		return r.delivery.Now, true, nil
	}
	parse, want := zonedTime, "a time with its zone, such as 2026-11-23T10:00:00Z"
	if r.time != nil {
		parse, want = r.time, r.wantTime
	}
	t, ok := parse(text)
	if !ok {
		return t, false, invalid(r.name(Time), "want "+want)
	}
	return t, false, nil
}

// zonedTime reads the ways in which JSON APIs write RFC 3339: with a zone of
// four digits, too. A time without a zone is nobody's.
func zonedTime(s string) (time.Time, bool) {
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05Z0700"} {
		if t, err := time.Parse(layout, s); err == nil && !strings.Contains(s, ",") {
			return t, true
		}
	}
	return time.Time{}, false
}

// millisTime reads milliseconds since 1970, and what zonedTime does.
func millisTime(s string) (time.Time, bool) {
	const digits = len("1795429371000") // from 2001 on; seconds have fewer
	if len(s) == digits && strings.Trim(s, "0123456789") == "" {
		n, err := strconv.ParseInt(s, 10, 64)
		return time.UnixMilli(n), err == nil
	}
	return zonedTime(s)
}
