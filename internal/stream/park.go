package stream

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"changerelay/internal/events"
)

// parkedFrom stands before a source's name in the origin of its parked bodies.
const parkedFrom = "webhook "

// A Parked body is what a verified sender sent and nothing can read.
type Parked struct {
	Source   string // that sent it: of a-z, 0-9 and -
	Ticket   string // whose it is, if that much could be read
	Delivery string // its delivery id, if it has one
	Reason   string // what is wrong with it
	Body     []byte
	At       time.Time
}

// Park stores the body as a dead letter of outcome invalid, under the source's
// name, the body's SHA-256 and the ticket, so that the same bytes of a source are
// kept once.
//
// The bytes are kept as they came. Of a body larger than the broker takes (its
// max_payload, 1 MiB by default, less ParkHeaders) only the head is; the letter
// has the size and the SHA-256 of the whole. Raise max_payload to keep more.
func (s *Streams) Park(ctx context.Context, p Parked) error {
	if strings.Trim(p.Source, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" || p.Source == "" {
		return fmt.Errorf("parking a body: source: %q is not one of a-z, 0-9 and -", p.Source)
	}
	sum := sha256.Sum256(p.Body)
	digest := hex.EncodeToString(sum[:])
	room := max(int(s.nc.MaxPayload())-ParkHeaders, 0)
	subject := fmt.Sprintf("%s%s.unknown.%s-%s", events.DeadPrefix, events.Invalid, p.Source, digest)
	if p.Ticket != "" {
		subject += "." + events.TicketToken(p.Ticket)
	}
	return s.Bury(ctx, DeadLetter{
		Subject: subject, Origin: parkedFrom + p.Source, Reason: p.Reason, At: p.At, Ticket: p.Ticket,
		Data: p.Body[:min(len(p.Body), room)], Delivery: p.Delivery, SHA256: digest, Size: len(p.Body),
	})
}

// FindParked returns receipts of a ticket's bodies that were parked, the first
// parked first, at most most of them, and how many there are: those of sources,
// each with the tenant that its receipt is to have. A receipt's id is no event's,
// but dead. and the letter's number.
func (s *Streams) FindParked(ctx context.Context, ticket string, sources map[string]string, most int) (found []events.Receipt, total int, err error) {
	ctx, cancel := bound(ctx, ReadFor)
	defer cancel()
	subjects, err := s.subjects(ctx, Dead, events.FilterTicket("*", ticket).Parked)
	if err != nil {
		return nil, 0, err
	}
	var list []string
	for subject := range subjects {
		if _, ok := sources[parker(subject)]; ok {
			list = append(list, subject)
		}
	}
	slices.Sort(list) // so that of too many it is always the same ones
	var mu sync.Mutex
	err = each(list[:min(len(list), most)], FindsAtOnce, func(subject string) error {
		m, err := s.last(ctx, Dead, subject)
		if errors.Is(err, events.ErrNotFound) {
			return nil // dropped a moment ago
		}
		l := readLetter(m)
		mu.Lock()
		defer mu.Unlock()
		if err == nil && l.Ticket == ticket { // else another hand wrote it
			found = append(found, l.receipt(sources[parker(subject)]))
		}
		return err
	})
	slices.SortFunc(found, func(a, b events.Receipt) int { return cmp.Or(a.Ended.Compare(b.Ended), cmp.Compare(a.ID, b.ID)) })
	return found, len(list), err
}

// parker is the source in the subject of a parked body.
func parker(subject string) string {
	const digest = 1 + 2*sha256.Size
	t := strings.Split(strings.TrimPrefix(subject, events.DeadPrefix), ".")
	if len(t) < 3 || len(t[2]) <= digest {
		return ""
	}
	return t[2][:len(t[2])-digest]
}

// receipt says what became of a parked body.
func (l DeadLetter) receipt(tenant string) events.Receipt {
	return events.Receipt{ID: fmt.Sprintf("dead.%d", l.Number), Ticket: l.Ticket, Tenant: tenant, Outcome: l.Outcome, Reason: l.Reason,
		Accepted: l.At, Ended: l.At, State: events.Final}
}
