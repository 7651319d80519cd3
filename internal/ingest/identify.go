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
// all, and somebody even when there are none, so that the time of a refusal
// does not tell which names exist.
func (r *roster) identify(q inquiry) (*sender, verify.Delivery, error) {
	var found *sender
	var delivery verify.Delivery
	var refusal error
	for _, snd := range q.senders {
		d, err := snd.verifier.Verify(q.Request, q.now)
		switch {
		case err == nil && found == nil: // the first by name; claims keep a second one out
			found, delivery = snd, d
		case err != nil && (refusal == nil || signedRightly(err)):
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

// signedRightly reports whether a refused request has a right signature. Of
// several reasons it is the most telling.
func signedRightly(err error) bool {
	var r *verify.Refusal
	return errors.As(err, &r) && slices.Contains([]verify.Reason{verify.InactiveKey, verify.OutsideTolerance,
		verify.BadDigest, verify.LacksComponent, verify.NotPermitted, verify.BadTopic}, r.Reason)
}

// sendsFrom judges the address that a request comes from, unless it has none.
func (snd *sender) sendsFrom(a netip.Addr) bool {
	if snd.AllowFrom == nil || a == anywhere {
		return true
	}
	a = a.Unmap().WithZone("")
	return slices.ContainsFunc(snd.AllowFrom, func(p netip.Prefix) bool { return p.Contains(a) })
}

// request is what verifiers see: the parts of a request as they were sent.
func request(r *http.Request, body []byte) *verify.Request {
	path, query, _ := strings.Cut(r.RequestURI, "?")
	if !strings.HasPrefix(path, "/") { // the absolute form, as to a proxy
		path, query = r.URL.EscapedPath(), r.URL.RawQuery
	}
	q := &verify.Request{Method: r.Method, Authority: r.Host, Path: path, Query: query, Header: r.Header, Body: body}
	if r.TLS != nil && len(r.TLS.VerifiedChains) > 0 {
		q.Client = r.TLS.VerifiedChains[0][0]
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
