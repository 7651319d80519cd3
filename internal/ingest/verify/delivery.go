package verify

import (
	"net/textproto"
	"slices"
	"time"
)

// A Delivery is what a verified request says of itself.
type Delivery struct {
	ID        string    // "" when no check has one
	SignsID   bool      // the id is signed; else it may name a delivery, and prove nothing
	Timestamp time.Time // zero when no check signs one
	SignsTime bool      // false: no protection from replay but the event's id
	SignsBody bool      // false: only the channel vouches for it
	Body      []byte    // what is vouched for when that is not the whole body; nil: the whole
	Signed    []string  // headers that are signed, in canonical form
	Proof     []byte    // SHA-256 of what was signed: a captured request has it again; nil when nothing is
	Uses      []Use     // the key of each check that has some
	Expired   []Use     // keys past their time, of a refused request that they would have let in; Verify has them in its Refusal
}

// A Use says which key of which check a request was let in with.
type Use struct{ Check, Key string }

// Covers reports whether what let the request in vouches for a header: it is
// signed, or nothing is and the channel vouches for all.
func (d Delivery) Covers(header string) bool {
	return !d.SignsBody || slices.Contains(d.Signed, textproto.CanonicalMIMEHeaderKey(header))
}

// and is what two checks together vouch for.
func (d Delivery) and(o Delivery) Delivery {
	if d.ID == "" || !d.SignsID && o.SignsID {
		d.ID, d.SignsID = o.ID, o.SignsID
	}
	if o.SignsTime && !d.SignsTime {
		d.Timestamp, d.SignsTime, d.Proof = o.Timestamp, true, o.Proof
	}
	if d.Proof == nil {
		d.Proof = o.Proof
	}
	switch {
	case !d.SignsBody:
		d.Body = o.Body
	case o.SignsBody && o.Body == nil:
		d.Body = nil
	}
	d.SignsBody = d.SignsBody || o.SignsBody
	d.Signed = append(d.Signed, o.Signed...)
	d.Uses = append(d.Uses, o.Uses...)
	d.Expired = append(d.Expired, o.Expired...)
	return d
}
