package ingest

import (
	"fmt"
	"net/netip"
	"time"

	"golang.org/x/time/rate"

	"changerelay/internal/ingest/source"
	"changerelay/internal/ingest/verify"
)

// An inquiry is a request as far as it has to be known to say what it asks for.
type inquiry struct {
	*verify.Request
	senders []*sender // who may have sent it
	peer    netip.Addr
	now     time.Time
	share   *share // of the memory in flight; nil: a dry run, which counts towards nothing
}

// anywhere is the address of a request whose own is not known.
var anywhere netip.Addr

func (q inquiry) take(l *rate.Limiter) error {
	if q.share == nil {
		return nil
	}
	return take(l, q.now)
}

func (q inquiry) look(l *rate.Limiter) error {
	if q.share == nil {
		return nil
	}
	return look(l, q.now)
}

func (q inquiry) grow(n int64) error {
	if q.share == nil {
		return nil
	}
	return q.share.grow(n)
}

// vouched is the request as the rest of the way sees it: it is its sender's, and
// of a body that is signed in part it has that part.
func (q inquiry) vouched(d verify.Delivery) inquiry {
	if q.share != nil {
		q.share.vouched()
	}
	if d.Body != nil {
		signed := *q.Request
		signed.Body = d.Body
		q.Request = &signed
	}
	return q
}

// A finding is what is known of a request.
type finding struct {
	sender    *sender // that it is from; nil while it is not verified
	delivery  verify.Delivery
	handshake *answer           // to a request that is one
	unknown   map[string]string // what becomes of events of tenants that are not configured, by tenant
	decoded   source.Decoded    // no events: it asks for nothing, or is refused
}

// examine takes a request from its bytes to what it asks for, and changes
// nothing. An error ends it; f has what was found until then.
func (r *roster) examine(q inquiry, f *finding) (err error) {
	if f.handshake, err = q.validation(); f.handshake != nil || err != nil {
		return err
	}
	if q, err = r.admit(q, f); err != nil {
		return err
	}
	if f.handshake, err = f.sender.shakeHands(q.Request); f.handshake != nil || err != nil {
		return err
	}
	body, err := f.sender.unpack(q.Header, q.Body, q.grow)
	if err != nil {
		return err
	}
	if err = readable(f.sender.Kind, f.sender.decoder, q.Header); err != nil {
		return err
	}
	if f.decoded, err = f.sender.decoder.Decode(source.Delivery{
		ID: f.delivery.ID, Header: q.Header, Body: body, Now: q.now,
		Covers: f.delivery.Covers, CoversID: f.delivery.SignsID || !f.delivery.SignsBody,
	}); err != nil {
		return err
	}
	f.unknown = r.unknown(f.decoded.Events)
	return scope(f.sender, f.decoded.Events)
}

// admit says whom a request is from, and whether it has not sent too many. The
// inquiry that it returns is vouched for.
func (r *roster) admit(q inquiry, f *finding) (_ inquiry, err error) {
	if f.sender, f.delivery, err = r.identify(q); err != nil {
		return q, err
	}
	return q.vouched(f.delivery), q.look(f.sender.requests)
}

// Examine says what a server with the source would make of a request at the
// time, and does nothing of it: nothing is published, marked or parked. The
// address that it comes from, rates and what was received before are not
// looked at. Only a check that needs an issuer's keys may fetch these.
//
// The error is one of the configuration: tenants are those that are configured.
func Examine(c Source, tenants []string, q verify.Request, now time.Time) (Report, error) {
	r, err := newRoster([]Source{c}, set(tenants), nil)
	if err != nil {
		return Report{}, fmt.Errorf("examining a request: %w", err)
	}
	defer r.close()
	var f finding
	snd := r.byName[c.Name]
	if len(q.Body) > snd.MaxBody {
		err = &tooLarge{limit: snd.MaxBody}
	} else {
		err = r.examine(inquiry{Request: &q, senders: []*sender{snd}, peer: anywhere, now: now}, &f)
	}
	return report(f, err), nil
}

func set(names []string) map[string]bool {
	s := map[string]bool{}
	for _, n := range names {
		s[n] = true
	}
	return s
}
