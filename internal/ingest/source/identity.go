package source

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"time"

	"changerelay/internal/events"
)

// id names what happened. The first of these that there is:
//
//	record@version    the sender counts the record's versions, or names the change
//	record@time       the record as it was then
//	delivery          the sender's delivery id, if something vouches for it
//	record@hash       the body's bytes
//
// The record is its id, or else its ticket. It comes before the delivery: what
// the body says is signed, or comes over a channel that is trusted with all; most
// senders do not sign the delivery id, so whoever captured one delivery could send
// it as many. And a sender that tries again, or has two webhooks for one ticket,
// says the same record twice, whatever it calls the deliveries: it is one event. A
// delivery id that nothing vouches for is not used at all. Two changes of one
// record within the grain of its time differ in content, and the second is refused
// as a conflict, loudly.
//
// By its bytes a body can say a wish once only: whoever takes an item off, gives
// it back and takes it off again must send the time, or the third is a repetition
// of the first.
func (r record) id(e events.Event) (string, error) {
	own, err := r.text(ID)
	if err != nil {
		return "", err
	}
	if own == "" && r.paths[ID] != nil {
		return "", r.missing(ID)
	}
	version, err := r.text(Version)
	named := cmp.Or(own, e.Ticket)
	switch {
	case err != nil:
		return "", err
	case version != "" && r.eventID && !r.own[Version]:
		return version, nil
	case version != "":
		return r.join(named, version), nil
	case !e.Arrival:
		return r.join(named, e.Time.UTC().Format(time.RFC3339Nano)), nil
	case r.delivery.ID != "" && r.delivery.CoversID:
		return r.join(r.delivery.ID, r.place), nil
	}
	sum := sha256.Sum256(r.delivery.Body)
	return r.join(named, hex.EncodeToString(sum[:16]), r.place), nil
}

// named is the meaning to blame for an id.
func (r record) named() string {
	switch {
	case r.paths[ID] != nil:
		return ID
	case r.paths[Version] != nil:
		return Version
	}
	return Ticket
}

// join makes one id of several parts; an empty last one is left out. The mark is
// escaped in the parts, so that CHG@1 in its version 2 is not CHG in its version
// 1@2. One part alone is left as the sender has it.
func (r record) join(parts ...string) string {
	if parts[len(parts)-1] == "" {
		parts = parts[:len(parts)-1]
	}
	if len(parts) == 1 {
		return parts[0]
	}
	escaped := make([]string, len(parts))
	for i, part := range parts {
		escaped[i] = strings.NewReplacer("%", "%25", "@", "%40").Replace(part)
	}
	return strings.Join(escaped, cmp.Or(r.mark, "@"))
}
