package verify

import (
	"cmp"
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/subtle"
	"hash"
	"time"
)

// verify is check's.
func (v *signature) verify(r *Request, now time.Time) (Delivery, Reason) {
	c, refusal := v.read(r.Header)
	c.head, c.body = v.head(c), r.Body
	id, mismatch := choose(v.keys, now, BadSignature, func(i int) int { return v.fits(i, c) }) // even when refused
	switch {
	case refusal != "":
		return Delivery{}, refusal
	case mismatch != "" && mismatch != InactiveKey:
		return Delivery{}, mismatch
	case v.stamp && now.Sub(c.time).Abs() > v.scheme.Tolerance:
		return Delivery{}, cmp.Or(mismatch, OutsideTolerance)
	case mismatch != "":
		return outOf("signature", id)
	}
	return Delivery{
		ID: c.id, SignsID: v.signsID, Timestamp: c.time, SignsTime: v.stamp, SignsBody: true,
		Signed: v.signedHeaders(), Proof: c.proof(), Uses: []Use{{"signature", id}},
	}, ""
}

// fits is 1 when key i made one of the signatures. It looks at all of them,
// so that its time tells nothing.
func (v *signature) fits(i int, c claims) (fit int) {
	if v.hash == nil {
		return fitsPublic(v.keys[i].bytes, c)
	}
	sum := v.mac(i, c)
	for _, sig := range c.signatures {
		fit |= subtle.ConstantTimeCompare(sum, sig)
	}
	return fit
}

// fitsPublic verifies with a public key: there is no secret for the time to tell.
func fitsPublic(key []byte, c claims) (fit int) {
	text := c.text()
	for _, sig := range c.signatures {
		if ed25519.Verify(key, text, sig) {
			fit = 1
		}
	}
	return fit
}

// head is the signed text before the body.
func (v *signature) head(c claims) (head []byte) {
	for _, p := range v.pieces {
		switch p.place {
		case "id":
			head = append(head, c.id...)
		case "timestamp":
			head = append(head, c.stamp...)
		default:
			head = append(head, p.literal...)
		}
	}
	return head
}

// mac is the MAC of the signed text under key i.
func (v *signature) mac(i int, c claims) []byte {
	mac := v.macs[i].Get().(hash.Hash)
	defer v.macs[i].Put(mac)
	mac.Reset()
	mac.Write(c.head)
	mac.Write(c.body)
	return mac.Sum(nil)
}

// text is the signed text.
func (c claims) text() []byte { return append(c.head[:len(c.head):len(c.head)], c.body...) }

// proof is the same for everyone who has captured what was signed.
func (c claims) proof() []byte {
	h := sha256.New()
	h.Write(c.head)
	h.Write(c.body)
	return h.Sum(nil)
}
