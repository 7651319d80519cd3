package verify

import (
	"crypto/sha256"
	"time"

	"github.com/dunglas/httpsfv"
)

// An httpSignature checks signatures of RFC 9421.
//
//	Signature-Input ─► label ─► key by keyid ─► base, from the request ─► signature
//	   ─► key still good ─► tag, components ─► created, expires ─► digest of the body
//
// Of several labels the first that passes all of it counts; labels with keyids
// that are not ours are for others. The order makes the reasons true: what is
// too old, or covers too little, is rightly signed. What is not understood is
// refused: a parameter that was ignored could have meant that the value is not
// the one we took.
//
// A sender that signs one request with two of our keys makes two proofs: who
// captures it can drop the first label, and send the rest once more within the
// tolerance. The event's id keeps that from counting.
type httpSignature struct {
	keys       map[string]httpKey
	ids        []string // as configured
	components []string // that must be covered
	tag        string
	tolerance  time.Duration
	signsBody  bool
}

// verify is check's. It takes less time when no keyid is ours; a keyid is no
// secret, and travels in clear.
func (c *httpSignature) verify(r *Request, now time.Time) (Delivery, Reason) {
	inputs, refusal := labels(r, "Signature-Input")
	if refusal != "" {
		return Delivery{}, refusal
	}
	signatures, refusal := labels(r, "Signature")
	if refusal != "" {
		return Delivery{}, refusal
	}
	refusal = BadSignature
	var expired Delivery
	for _, name := range inputs.Names() {
		l, ours := c.label(inputs, name)
		if !ours {
			continue
		}
		d, reason := c.try(l, signatures, r, now)
		if reason == "" {
			return d, ""
		}
		if refusal == BadSignature {
			expired, refusal = d, reason // the first that says more
		}
	}
	return expired, refusal
}

func labels(r *Request, header string) (*httpsfv.Dictionary, Reason) {
	d, refusal := dictionary(r.Header, header)
	if refusal == "" && len(d.Names()) > MaxSignatures {
		return nil, BadHeader
	}
	return d, refusal
}

// A label is a member of Signature-Input with the keyid of one of our keys.
type label struct {
	httpsfv.InnerList
	name string
	key  httpKey
}

func (c *httpSignature) label(inputs *httpsfv.Dictionary, name string) (l label, ours bool) {
	member, _ := inputs.Get(name)
	list, ok := member.(httpsfv.InnerList)
	if !ok {
		return l, false
	}
	id, _ := param[string](list.Params, "keyid")
	key, ours := c.keys[id]
	return label{list, name, key}, ours
}

// try verifies one label.
func (c *httpSignature) try(l label, signatures *httpsfv.Dictionary, r *Request, now time.Time) (Delivery, Reason) {
	base, covered, refusal := l.base(r)
	if refusal == "" {
		refusal = l.fits(base, signatures)
	}
	signed := refusal == ""
	if signed {
		refusal = c.permits(l, covered, now)
	}
	if _, digested := covered["content-digest"]; digested && refusal == "" {
		refusal = contentDigest(r.Header, r.Body)
	}
	switch {
	case signed && !l.key.active(now) && refusal == "" && l.key.past(now):
		return outOf("http_signature", l.key.id)
	case signed && !l.key.active(now): // whatever else
		return Delivery{}, InactiveKey
	case refusal != "":
		return Delivery{}, refusal
	}
	created, _ := param[int64](l.Params, "created")
	proof := sha256.Sum256(base)
	return Delivery{
		Timestamp: time.Unix(created, 0), SignsTime: true, SignsBody: c.signsBody,
		Signed: signedHeaders(covered), Proof: proof[:], Uses: []Use{{"http_signature", l.key.id}},
	}, ""
}

// fits verifies the signature of the label. The algorithm is the key's.
func (l label) fits(base []byte, signatures *httpsfv.Dictionary) Reason {
	member, there := signatures.Get(l.name)
	if !there {
		return MissingHeader
	}
	signature, ok := octets(member)
	if !ok {
		return BadHeader
	}
	algorithm, named := param[string](l.Params, "alg")
	if named && algorithm != l.key.algorithm || !l.key.fits(base, signature) {
		return BadSignature
	}
	return ""
}

// permits holds what is rightly signed against the configuration.
func (c *httpSignature) permits(l label, covered map[string]bool, now time.Time) Reason {
	tag, _ := param[string](l.Params, "tag")
	created, timed := param[int64](l.Params, "created")
	expires, ends := param[int64](l.Params, "expires")
	switch {
	case c.tag != "" && c.tag != tag, !timed, !coversAll(covered, c.components):
		return LacksComponent
	case now.Sub(time.Unix(created, 0)).Abs() > c.tolerance, ends && now.After(time.Unix(expires, 0)):
		return OutsideTolerance
	}
	return ""
}

func coversAll(covered map[string]bool, components []string) bool {
	for _, name := range components {
		if !covered[name] {
			return false
		}
	}
	return true
}

func (c *httpSignature) about() about {
	a := about{name: "http_signature", keys: c.ids, signsTime: true, signsBody: c.signsBody}
	var ring []key
	for _, id := range c.ids {
		ring = append(ring, c.keys[id].key)
	}
	a.weak, a.ends = weakKeys(ring), ends(ring)
	return a
}
