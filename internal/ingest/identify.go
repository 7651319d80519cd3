package ingest

import (
	"crypto/rand"
	"errors"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"changerelay/internal/ingest/verify"
)

// Reasons for a 401 that are not verify's.
const (
	unknownSource verify.Reason = "unknown_source" // nobody is configured to be asked
	badAddress    verify.Reason = "address"        // rightly signed, but from an address that the source does not send from
	replayed      verify.Reason = "replayed"       // rightly signed, but sent before, for other events
)

// Refusals lists the reason words of 401 answers, for metrics.
func Refusals() []string {
	words := []string{string(unknownSource), string(badAddress), string(replayed)}
	for _, r := range verify.Reasons {
		words = append(words, string(r))
	}
	return words
}

// identify returns the one of the senders that the request is from. It asks them
// all, and somebody even when there are none: a name that does not exist then
// takes as long as one with a usual signature. Other checks, more keys and a
// raised body limit take their own time, and may tell.
func (r *roster) identify(q inquiry) (*sender, verify.Delivery, error) {
	var found *sender
	var delivery verify.Delivery
	var refusal error
	for _, snd := range q.senders {
		d, err := snd.verifier.Verify(q.Request, q.now)
		if err != nil && snd.sendsFrom(q.peer) {
			err = snd.late(err)
		}
		switch {
		case err == nil && found == nil: // the first by name; claims keep a second one out
			found, delivery = snd, d
		case err != nil && (refusal == nil || telling(err) > telling(refusal)):
			refusal = err
		}
	}
	if len(q.senders) == 0 {
		_, _ = r.nobody.Verify(q.Request, q.now) // only for its time
		refusal = &verify.Refusal{Reason: unknownSource}
	}
	switch {
	case found == nil:
		return nil, verify.Delivery{}, refusal
	case !found.sendsFrom(q.peer):
		return nil, verify.Delivery{}, &verify.Refusal{Reason: badAddress}
	}
	return found, delivery, nil
}

// A lapsed error is the refusal of a request that its sender made with keys past
// their time, and that it would else have been let in with.
type lapsed struct {
	*verify.Refusal
	source string
}

func (l *lapsed) Unwrap() error { return l.Refusal }

// late says so if that is what an error of the verifier is.
func (snd *sender) late(err error) error {
	if r := (*verify.Refusal)(nil); errors.As(err, &r) && len(r.Expired) > 0 {
		return &lapsed{r, snd.Name}
	}
	return err
}

// telling ranks the reasons of several senders: a right signature is of the one
// that made it, and while keys are away it cannot be told whose it is.
func telling(err error) int {
	var r *verify.Refusal
	switch {
	case !errors.As(err, &r):
		return 0
	case slices.Contains([]verify.Reason{verify.InactiveKey, verify.OutsideTolerance,
		verify.BadDigest, verify.LacksComponent, verify.NotPermitted, verify.BadTopic}, r.Reason):
		return 2
	case r.Reason == verify.KeysAway:
		return 1
	}
	return 0
}

// sendsFrom judges the address that a request comes from, unless it has none.
func (snd *sender) sendsFrom(a netip.Addr) bool {
	if snd.AllowFrom == nil || a == anywhere {
		return true
	}
	a = a.Unmap().WithZone("")
	return slices.ContainsFunc(snd.AllowFrom, func(p netip.Prefix) bool { return p.Contains(a) })
}

// request is what verifiers see: the parts of a request as they were sent, but
// for the client's certificate.
func request(r *http.Request, body []byte) *verify.Request {
	path, query, _ := strings.Cut(r.RequestURI, "?")
	if !strings.HasPrefix(path, "/") { // the absolute form, as to a proxy
		path, query = r.URL.EscapedPath(), r.URL.RawQuery
	}
	return &verify.Request{Method: r.Method, Authority: r.Host, Path: path, Query: query, Header: r.Header, Body: body}
}

// request is x's, for who may have sent it.
func (s *Server) request(x *exchange, body []byte, senders []*sender) *verify.Request {
	q := request(x.Request(), body)
	if slices.ContainsFunc(senders, (*sender).certified) {
		q.Client = s.client(x.Request().TLS, x.now)
	}
	return q
}

// newNobody verifies for sources that do not exist; no request fits its secret.
func newNobody() *verify.Verifier {
	scheme, _ := verify.Preset("servicenow")
	v, err := verify.New(verify.Config{Signature: &verify.Signature{Scheme: scheme, Keys: []verify.Key{{ID: "nobody", Secret: rand.Text()}}}})
	if err != nil {
		panic("ingest: the usual scheme and a random secret are valid: " + err.Error())
	}
	return v
}
