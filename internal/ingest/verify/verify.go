package verify

import (
	"crypto/hmac"
	"crypto/subtle"
	"net/http"
	"time"
)

// A Reason is the one word for why a request was refused.
type Reason string

// The reasons, for the log and the metric only.
const (
	MissingHeader    Reason = "missing_header"    // a security header is absent or empty
	RepeatedHeader   Reason = "repeated_header"   // it is there twice: proxies and we could read different ones
	BadHeader        Reason = "bad_header"        // too long, too many signatures, or an id of bad characters
	BadTimestamp     Reason = "bad_timestamp"     // not of the scheme's format
	BadSignature     Reason = "bad_signature"     // no signature fits any secret
	OutsideTolerance Reason = "outside_tolerance" // rightly signed, but too old or too new: a replay, or a wrong clock
)

// Reasons lists them all, for metrics.
var Reasons = []Reason{MissingHeader, RepeatedHeader, BadHeader, BadTimestamp, BadSignature, OutsideTolerance}

// A Refusal is the only error of Verify. It holds nothing from the request.
type Refusal struct{ Reason Reason }

func (r *Refusal) Error() string { return "refusing a request: " + string(r.Reason) }

// A Delivery is what a verified request says of itself.
type Delivery struct {
	ID        string    // "" when the scheme has none
	Timestamp time.Time // zero when the scheme has none
	SignsTime bool      // false: no protection from replay but the event's id
	Key       int       // index of the secret that fits, to see a rotation end
}

// Verify checks one request. The body is the raw bytes, and now the receiver's
// clock.
func (v *Verifier) Verify(h http.Header, body []byte, now time.Time) (Delivery, error) {
	c, refusal := v.read(h)
	key := v.match(c, body) // even when refused: see the package comment
	switch {
	case refusal != "":
		return Delivery{}, &Refusal{refusal}
	case key < 0:
		return Delivery{}, &Refusal{BadSignature}
	case v.stamp && now.Sub(c.time).Abs() > v.scheme.Tolerance:
		return Delivery{}, &Refusal{OutsideTolerance}
	}
	return Delivery{ID: c.id, Timestamp: c.time, SignsTime: v.stamp, Key: key}, nil
}

// match returns the index of the secret that one of the signatures fits, or -1.
// It looks at all pairs, so that its time tells nothing.
func (v *Verifier) match(c claims, body []byte) int {
	found := -1
	for i, key := range v.keys {
		sum := v.mac(key, c, body)
		for _, sig := range c.signatures {
			equal := 0
			if hmac.Equal(sum, sig) {
				equal = 1
			}
			found = subtle.ConstantTimeSelect(equal, i, found)
		}
	}
	return found
}
