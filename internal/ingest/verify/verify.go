// Package verify decides whether an HTTP request comes from a configured
// sender. A source has one check or several, and all of them must pass:
//
//	signature       an HMAC or Ed25519 signature, described by a Scheme   compile, read, match
//	http_signature  RFC 9421, with the content digest of RFC 9530
//	sns             the signature inside a message of Amazon SNS
//	bearer          a JWT of Entra ID, or of another issuer
//	header, basic   a static secret, a name and a password
//	certificate     the names of the TLS client
//	client_state    the static secret inside Graph's change notifications
//
//	Request ─► every check ─► the Delivery, or the first one's Reason
//
// What it promises:
//
//   - It fails closed. A check it does not fully understand, or a missing
//     secret, is an error of New; there is no way to verify nothing.
//   - Nothing in a request chooses the algorithm, the encoding or the form of
//     the key, except that an SNS message names one of two. In particular
//     "whsec_" does not: Standard Webhooks decodes what follows it, others use
//     the whole text.
//   - One signed text has one reading: a value that holds the literal which
//     ends it in the signed text is refused.
//   - The time of a refusal tells nothing of a secret: secrets, and the MACs
//     made with them, are compared in constant time, all of a check's are tried,
//     and all checks are made, whatever the headers hold.
//   - A key that is not active lets nobody in.
//   - Why a request was refused is for the log and the metric, never for the
//     sender.
//
// The package sees bytes as they came in, before anything has parsed them. Two
// checks have their secret or signature in the body, and walk through it for
// that, in bounds and without a tree.
package verify

import (
	"slices"
	"strings"
	"time"
)

// A check is one way to tell a sender. It reads the request alone, and its time
// tells nothing of a secret.
type check interface {
	verify(r *Request, now time.Time) (Delivery, Reason)
	about() about
}

// about is what a check is, for those who read a configuration.
type about struct {
	name      string // as in Config's comments and the configuration file: signature, bearer …
	keys      []string
	signsTime bool
	signsBody bool
	ends      map[string]time.Time // of keys, by id, that have an end
	weak      []string             // why it, or a key of it, should be replaced
}

// A Verifier is the checks of a source. It is safe for concurrent use.
type Verifier struct{ checks []check }

// Verify checks one request; now is the receiver's clock. All checks are made,
// also after one has refused; the reason is that of the first, in the order of
// Config, and KeysAway only when there is no other: what another check refuses
// need not come again.
func (v *Verifier) Verify(r *Request, now time.Time) (Delivery, error) {
	var all Delivery
	var refusal Reason
	expired := true // and nothing else
	for _, c := range v.checks {
		d, reason := c.verify(r, now)
		expired = expired && (reason == "" || d.Expired != nil)
		if refusal == "" || refusal == KeysAway && reason != "" {
			refusal = reason
		}
		all = all.and(d)
	}
	switch {
	case refusal == "":
		return all, nil
	case expired:
		return Delivery{}, &Refusal{refusal, all.Expired}
	}
	return Delivery{}, &Refusal{Reason: refusal}
}

// Checks names the checks.
func (v *Verifier) Checks() (names []string) {
	for _, c := range v.checks {
		names = append(names, c.about().name)
	}
	return names
}

// Keys lists the keys of all checks.
func (v *Verifier) Keys() (uses []Use) {
	for _, c := range v.checks {
		for _, k := range c.about().keys {
			uses = append(uses, Use{c.about().name, k})
		}
	}
	return uses
}

// Ends is when each key stops being good, of those that do.
func (v *Verifier) Ends() map[Use]time.Time {
	ends := map[Use]time.Time{}
	for _, c := range v.checks {
		for id, t := range c.about().ends {
			ends[Use{c.about().name, id}] = t
		}
	}
	return ends
}

// SignsTime reports whether a captured request can be told by its age. If not,
// only the id of its events keeps it from counting twice.
func (v *Verifier) SignsTime() bool {
	return slices.ContainsFunc(v.checks, func(c check) bool { return c.about().signsTime })
}

// SignsBody reports whether a signature covers the body.
func (v *Verifier) SignsBody() bool {
	return slices.ContainsFunc(v.checks, func(c check) bool { return c.about().signsBody })
}

// BodyAlone reports whether nothing but signatures over the body lets a request
// in. One without a body, as a question has none, is then good for ever and
// everywhere once it was captured.
func (v *Verifier) BodyAlone() bool {
	return !v.SignsTime() && !slices.ContainsFunc(v.checks, func(c check) bool { return !c.about().signsBody })
}

// Warnings says what the checks do not protect from, one line each.
func (v *Verifier) Warnings() (lines []string) {
	for _, c := range v.checks {
		for _, why := range c.about().weak {
			lines = append(lines, c.about().name+": "+why)
		}
	}
	if !v.SignsBody() {
		lines = append(lines, strings.Join(v.Checks(), ", ")+
			": does not cover the body; whoever reads a request on its way can change it")
	}
	if !v.SignsTime() {
		lines = append(lines, "no replay protection: no time is signed; a captured request can be sent again, and only the ids of its events keep it from counting twice")
	}
	return lines
}

// Close ends what a check does in the background.
func (v *Verifier) Close() {
	for _, c := range v.checks {
		if c, ok := c.(interface{ close() }); ok {
			c.close()
		}
	}
}
