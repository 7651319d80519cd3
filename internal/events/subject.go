package events

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"
)

// Subjects of the streams, each token of the alphabet [a-z0-9_-].
//
//	changes.v1.<tenant>.<device>.<key>.<ticket>    an event
//	targets.v1.<tenant>.<ticket>.<key>             one whose device is not known yet
//	devices.v1.<tenant>.<device>                   a wake-up
//	outcomes.v1.<tenant>.<ticket>.<device>.<key>   what became of it; <device> is "target" while it
//	                                               is not known, "taken" if its id is another event's
//	dead.v1.<outcome>.<tenant>.<device>.<key>      a dead letter
//
// The ticket's token is last in changes.v1 so that one prefix filter,
// changes.v1.<tenant>.<device>.<key>.*, finds an event whatever its ticket: the
// promise of "once" is per (tenant, device, source, id), and a sender that
// reuses an id for another ticket must be told so.
const (
	ChangesPrefix  = "changes.v1."
	TargetsPrefix  = "targets.v1."
	DevicesPrefix  = "devices.v1."
	OutcomesPrefix = "outcomes.v1."
	DeadPrefix     = "dead.v1."
)

// tokens is lower-case base32 in the extended hex alphabet, without padding.
var tokens = base32.NewEncoding("0123456789abcdefghijklmnopqrstuv").WithPadding(base32.NoPadding)

// Lengths of the hash tokens, characters of 5 bits.
const (
	keyLen    = 26
	ticketLen = 16
)

// Key is the token that stands for (source, id) within a device. The parts are
// hashed with their lengths, so that no two pairs run together.
func Key(source, id string) string {
	var room [2 * (MaxID + binary.MaxVarintLen16)]byte // of a valid pair
	b := room[:0]
	for _, s := range []string{source, id} {
		b = append(binary.AppendUvarint(b, uint64(len(s))), s...)
	}
	return token(b, keyLen)
}

// TicketToken is the subject token that stands for a ticket.
func TicketToken(ticket string) string {
	var room [MaxTicket]byte
	return token(append(room[:0], ticket...), ticketLen)
}

// token is the first n characters of the hash of b.
func token(b []byte, n int) string {
	sum := sha256.Sum256(b)
	var text [(sha256.Size*8 + 4) / 5]byte
	tokens.Encode(text[:], sum[:])
	return string(text[:n])
}

// An Address names one managed device of one tenant.
type Address struct{ Tenant, Device string }

// String is the device's key in the ledger: tenant.device.
func (a Address) String() string { return a.Tenant + "." + a.Device }

// WakeSubject is the subject of the device's wake-up.
func (a Address) WakeSubject() string { return DevicesPrefix + a.String() }

// ParseAddress reads what Address.String wrote, also behind DevicesPrefix.
func ParseAddress(s string) (Address, error) {
	tenant, device, _ := strings.Cut(strings.TrimPrefix(s, DevicesPrefix), ".")
	if !isTenant(tenant) || !isUUID(device) {
		return Address{}, &InvalidError{"device", fmt.Sprintf("%q does not name a device: want <tenant>.<managedDevice id>", clip(s))}
	}
	return Address{tenant, device}, nil
}

// A Ref names one event for one device; its string is the id that senders get
// back and operators type. While it is not known which device an event's target
// is, the Ref has the ticket's token in the device's place.
type Ref struct {
	Address
	Key string // Key(source, id), with -r<n> for the replay of dead letter n
}

// Unresolved reports whether the event's device is not known: Address is no
// device's.
func (r Ref) Unresolved() bool { return isToken(r.Device, ticketLen) }

// String is the public id of the event: tenant.device.key.
func (r Ref) String() string { return r.Address.String() + "." + r.Key }

// ParseRef reads what Ref.String wrote.
func ParseRef(s string) (Ref, error) {
	t := strings.Split(s, ".")
	if len(t) != 3 || !isTenant(t[0]) || !isUUID(t[1]) && !isToken(t[1], ticketLen) || !isKey(t[2]) {
		return Ref{}, &InvalidError{"id", fmt.Sprintf("%q is not an event's id: want <tenant>.<device>.<key>, as the 202 answer gave it", clip(s))}
	}
	return Ref{Address{t[0], t[1]}, t[2]}, nil
}

// TargetSubject is where an event is published whose device is not known yet.
func (r Ref) TargetSubject() string { return TargetsPrefix + r.String() }

// ChangesFilter matches the event's message in CHANGES whatever its ticket.
func (r Ref) ChangesFilter() string { return ChangesPrefix + r.String() + ".*" }

// OutcomeSubject is where the event's final outcome is published; ticket is
// the token of its ticket.
func (r Ref) OutcomeSubject(ticket string) string {
	if r.Unresolved() {
		return OutcomesPrefix + r.Tenant + "." + r.Device + ".target." + r.Key
	}
	return OutcomesPrefix + r.Tenant + "." + ticket + "." + r.Device + "." + r.Key
}

// TakenSubject is where the outcome of an event with a target is published whose
// id is another event's: that one's outcome, or the receipt that says which device
// it is, has OutcomeSubject.
func (r Ref) TakenSubject() string {
	return OutcomesPrefix + r.Tenant + "." + r.Device + ".taken." + r.Key
}

// OutcomesFilter matches the event's outcome whatever its ticket. Of one whose
// device is not known it matches the receipt that says which one it is, and the
// outcome that follows.
func (r Ref) OutcomesFilter() string {
	if r.Unresolved() {
		return OutcomesPrefix + r.Tenant + "." + r.Device + ".*." + r.Key
	}
	return r.OutcomeSubject("*")
}

// A TicketFilter matches what is stored of a ticket: in CHANGES, in TARGETS, in
// OUTCOMES, and in DEAD of bodies that are no events.
type TicketFilter struct{ Changes, Targets, Outcomes, Parked string }

// FilterTicket is the filter of a ticket within a tenant, or "*" for all.
func FilterTicket(tenant, ticket string) TicketFilter {
	token := TicketToken(ticket)
	return TicketFilter{
		Changes:  ChangesPrefix + tenant + ".*.*." + token,
		Targets:  TargetsPrefix + tenant + "." + token + ".*",
		Outcomes: OutcomesPrefix + tenant + "." + token + ".*.*",
		Parked:   DeadPrefix + string(Invalid) + ".unknown.*." + token, // of whatever tenant
	}
}

// ParseOutcomeSubject splits the subject of a message in OUTCOMES.
func ParseOutcomeSubject(subject string) (ref Ref, ticket string, err error) {
	t := strings.Split(strings.TrimPrefix(subject, OutcomesPrefix), ".")
	if len(t) == 4 && isToken(t[1], ticketLen) {
		device := t[2]
		if device == "target" {
			device = t[1]
		}
		if ref, err = ParseRef(t[0] + "." + device + "." + t[3]); err == nil && ref.OutcomeSubject(t[1]) == subject {
			return ref, t[1], nil
		}
	}
	return Ref{}, "", malformed(subject, "outcomes.v1.<tenant>.<ticket>.<device>.<key>")
}

// DeadSubject is where the event's dead letter is published.
func (r Ref) DeadSubject(o Outcome) string { return DeadPrefix + string(o) + "." + r.String() }

// Address is the device that the event is for.
func (e Event) Address() Address { return Address{e.Tenant, e.Device} }

// Ref is the event's public id.
func (e Event) Ref() Ref {
	a := e.Address()
	if e.Device == "" {
		a.Device = TicketToken(e.Ticket)
	}
	return Ref{a, Key(e.Source, e.ID)}
}

// Subject is where the event is published: in CHANGES, or in TARGETS as long as
// its device is not known.
func (e Event) Subject() string {
	if e.Device == "" {
		return e.Ref().TargetSubject()
	}
	return ChangesPrefix + e.Ref().String() + "." + TicketToken(e.Ticket)
}

// ParseSubject splits the subject of a message in CHANGES or TARGETS. It says
// nothing of whether the message's body agrees; FromMessage does.
func ParseSubject(subject string) (ref Ref, ticket string, err error) {
	if rest, ok := strings.CutPrefix(subject, TargetsPrefix); ok {
		if ref, err = ParseRef(rest); err != nil || !ref.Unresolved() {
			return Ref{}, "", malformed(subject, "targets.v1.<tenant>.<ticket>.<key>")
		}
		return ref, ref.Device, nil
	}
	rest, ok := strings.CutPrefix(subject, ChangesPrefix)
	i := strings.LastIndexByte(rest, '.')
	if ok && i >= 0 && isToken(rest[i+1:], ticketLen) {
		if ref, err = ParseRef(rest[:i]); err == nil && !ref.Unresolved() {
			return ref, rest[i+1:], nil
		}
	}
	return Ref{}, "", malformed(subject, "changes.v1.<tenant>.<device>.<key>.<ticket>")
}

func malformed(subject, form string) error {
	return &InvalidError{"subject", fmt.Sprintf("%q is not of the form %s", clip(subject), form)}
}

// isKey accepts what Key returns, and the replay of a dead letter.
func isKey(s string) bool {
	base, replay, ok := strings.Cut(s, "-r")
	if ok {
		n, err := strconv.ParseUint(replay, 10, 64)
		if err != nil || n == 0 || strconv.FormatUint(n, 10) != replay {
			return false
		}
	}
	return isToken(base, keyLen)
}

func isToken(s string, n int) bool {
	if len(s) != n {
		return false
	}
	for i := range len(s) {
		if c := s[i]; (c < '0' || c > '9') && (c < 'a' || c > 'v') {
			return false
		}
	}
	return true
}
