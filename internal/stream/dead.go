package stream

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"changerelay/internal/events"
)

// Headers of a dead letter. Its body is the bytes as they were received.
const (
	headerReason   = "Changerelay-Reason"
	headerOrigin   = "Changerelay-Origin"
	headerSequence = "Changerelay-Sequence"
	headerTime     = "Changerelay-Time"
	headerApproval = "Changerelay-Approval"
	headerDelivery = "Changerelay-Delivery" // of a parked body, as the ones below
	headerSHA256   = "Changerelay-Sha256"
	headerSize     = "Changerelay-Size"
	headerTicket   = "Changerelay-Ticket"
)

// maxReason is how many characters of a reason fit a header.
const maxReason = 1000

// A DeadLetter is an event that a person must look at, or a parked body.
type DeadLetter struct {
	Ref      events.Ref     // zero if the message's own subject is not an event's
	Subject  string         // in DEAD; Bury makes it from Ref and Outcome if it is empty
	Outcome  events.Outcome // why, in one word
	Reason   string         // why, in one line
	Header   nats.Header    // as received: of an event in binary mode, its ce- headers and Content-Type; Bury leaves out what else there is
	Data     []byte         // as received
	Origin   string         // the subject it was received under
	Sequence uint64         // in CHANGES, of its first message if it is a replay; 0 if it never was there
	At       time.Time      // when it was given up
	Number   uint64         // in DEAD; Bury does not read it
	Approval string         // by which an admin finds what to approve, and with which a replay is told; "" if Graph gave none

	// Of a parked body, and else zero.
	Source   string // that sent it; from Origin, so Bury does not read it
	Ticket   string // whose it is; "" if not even that could be read
	Delivery string // its delivery id, if it has one
	SHA256   string // of the whole body, hexadecimal
	Size     int    // bytes of the whole body; more than Data has if only the head was kept
}

// Bury stores the letter unless one is stored under its subject. Of a letter
// that the broker finds too big it stores all but bytes and headers, and says so
// in the reason: an event that cannot be buried would never end.
func (s *Streams) Bury(ctx context.Context, l DeadLetter) error {
	fresh, err := s.putFirst(ctx, l.message())
	if errors.Is(err, errTooBig) {
		fresh, err = s.putFirst(ctx, l.bare().message())
	}
	if fresh {
		reason, _, _ := strings.Cut(strings.TrimPrefix(l.subject(), events.DeadPrefix), ".")
		s.o.Buried(reason)
	}
	return err
}

// message is the letter as it is stored.
func (l DeadLetter) message() *nats.Msg {
	h := nats.Header{}
	received, note := pack(l.Header)
	h.Set(headerReason, line(l.Reason)+note)
	h.Set(headerOrigin, line(l.Origin))
	h.Set(headerSequence, strconv.FormatUint(l.Sequence, 10))
	h.Set(headerTime, l.At.UTC().Format(time.RFC3339Nano))
	if l.Approval != "" {
		h.Set(headerApproval, line(l.Approval))
	}
	if l.SHA256 != "" {
		h.Set(headerDelivery, line(l.Delivery))
		h.Set(headerSHA256, l.SHA256)
		h.Set(headerSize, strconv.Itoa(l.Size))
	}
	if l.Ticket != "" {
		h.Set(headerTicket, line(l.Ticket))
	}
	if received != "" {
		h.Set(headerReceived, received)
	}
	return &nats.Msg{Subject: l.subject(), Header: h, Data: l.Data}
}

// bare is the letter without what was received.
func (l DeadLetter) bare() DeadLetter {
	headers, _ := pack(l.Header)
	l.Reason = fmt.Sprintf("%s (the broker takes no dead letter so big: this one has neither the %d bytes that were received, of SHA-256 %x, nor their %d bytes of headers)",
		clip(l.Reason, maxReason/2), len(l.Data), sha256.Sum256(l.Data), len(headers))
	l.Header, l.Data = nil, nil
	return l
}

// subject is the letter's address. A message whose own subject is no event's is
// filed under its sequence.
func (l DeadLetter) subject() string {
	switch {
	case l.Subject != "":
		return l.Subject
	case l.Ref == events.Ref{}:
		return fmt.Sprintf("%s%s.unknown.s%d", events.DeadPrefix, events.Invalid, l.Sequence)
	}
	return l.Ref.DeadSubject(l.Outcome)
}

// Letter returns the dead letter with that number.
func (s *Streams) Letter(ctx context.Context, number uint64) (DeadLetter, error) {
	m, err := s.ask(ctx, Dead, func(ctx context.Context, st jetstream.Stream) (*jetstream.RawStreamMsg, error) {
		return st.GetMsg(ctx, number)
	})
	if err != nil {
		return DeadLetter{}, err
	}
	return readLetter(m), nil
}

// Letters returns the dead letters under a subject with wildcards, oldest
// first: at most most, with numbers above after.
func (s *Streams) Letters(ctx context.Context, filter string, after uint64, most int) ([]DeadLetter, error) {
	ms, err := s.next(ctx, Dead, filter, after, most)
	var ls []DeadLetter
	for _, m := range ms {
		ls = append(ls, readLetter(m))
	}
	return ls, err
}

// ReplayRef is the event that a replay of the letter makes; zero if the letter
// is of no event.
func (l DeadLetter) ReplayRef() events.Ref {
	if l.Ref == (events.Ref{}) {
		return events.Ref{}
	}
	base, _, _ := strings.Cut(l.Ref.Key, "-r") // the letter may be a replay's
	return events.Ref{Address: l.Ref.Address, Key: fmt.Sprintf("%s-r%d", base, l.Number)}
}

// Twin reports whether another message of the letter's event was stored before
// the letter's: one that was given up as invalid because its id was in use.
func (s *Streams) Twin(ctx context.Context, l DeadLetter) (bool, error) {
	ms, err := s.next(ctx, Changes, l.Ref.ChangesFilter(), 0, 1)
	return len(ms) > 0 && ms[0].Sequence < l.Sequence, err
}

// Drop forgets a dead letter; a person has looked at it.
func (s *Streams) Drop(ctx context.Context, number uint64) error {
	ctx, cancel := bound(ctx, ReadFor)
	defer cancel()
	err := s.streams[Dead].DeleteMsg(ctx, number)
	if errors.Is(err, jetstream.ErrMsgNotFound) || errors.Is(err, jetstream.ErrMsgDeleteUnsuccessful) {
		return events.ErrNotFound
	}
	if err != nil {
		return fmt.Errorf("%w: dropping dead letter %d: %w", ErrUnavailable, number, err)
	}
	return nil
}

// readLetter takes headers for what they are worth: a letter that another hand
// wrote is shown, too.
func readLetter(m Message) DeadLetter {
	l := DeadLetter{Subject: m.Subject, Header: unpack(m.Header.Get(headerReceived)), Data: m.Data, Number: m.Sequence, At: m.Time,
		Reason: m.Header.Get(headerReason), Origin: m.Header.Get(headerOrigin), Approval: m.Header.Get(headerApproval),
		Ticket: m.Header.Get(headerTicket), Delivery: m.Header.Get(headerDelivery), SHA256: m.Header.Get(headerSHA256)}
	outcome, id, _ := strings.Cut(strings.TrimPrefix(m.Subject, events.DeadPrefix), ".")
	l.Outcome = events.Outcome(outcome)
	l.Ref, _ = events.ParseRef(id)
	l.Sequence, _ = strconv.ParseUint(m.Header.Get(headerSequence), 10, 64)
	l.Size, _ = strconv.Atoi(m.Header.Get(headerSize))
	if source, ok := strings.CutPrefix(l.Origin, parkedFrom); ok {
		l.Source = source
	}
	if at, err := time.Parse(time.RFC3339Nano, m.Header.Get(headerTime)); err == nil {
		l.At = at
	}
	return l
}

// line makes s one short line, so that it can stand in a header. A stranger
// wrote parts of it.
func line(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
	return strings.TrimSpace(clip(s, maxReason))
}

// clip shortens s to most characters.
func clip(s string, most int) string {
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "…"
	}
	return s
}
