// Package verify decides whether an HTTP request comes from a configured
// sender: one HMAC verifier whose parameters describe the schemes of Standard
// Webhooks, ServiceNow scripts, GitHub, Jira, Zendesk, PagerDuty, Slack and
// Stripe.
//
//	headers ─► read: id, time, signatures ─┐
//	raw body ─► MAC under every secret ────┴─► match ─► time in tolerance ─► Delivery
//
// What it promises:
//
//   - It fails closed. A scheme it does not fully understand, or a missing
//     secret, is an error of New; there is no way to verify nothing.
//   - Nothing in a request chooses the algorithm, the encoding or the form of
//     the key. In particular "whsec_" does not: Standard Webhooks decodes what
//     follows it, others use the whole text.
//   - One signed text has one reading: a value that holds the literal which
//     ends it in the signed text is refused.
//   - A refused request takes the time of an accepted one. The MAC of the body
//     is computed under every secret, whatever the headers hold.
//   - Why a request was refused is for the log and the metric, never for the
//     sender.
//
// The package sees bytes as they came in, before anything has parsed them.
package verify

import "time"

// A Scheme says how a sender signs. Its zero value is not valid.
type Scheme struct {
	Header    string // holds the signature
	Prefix    string // stands before each signature, such as "sha256="; an entry with another one is skipped
	Delimiter string // between several signatures in Header; "" is a single one
	Algorithm string // sha256 (default), sha512, or sha1 for a sender that has nothing better
	Encoding  string // hex, base64, base64url, or base64-of-hex as CryptoJS scripts produce it

	// Signed is the signed text: {body} at its end, and before it {id},
	// {timestamp} and literals, such as "{id}.{timestamp}.{body}".
	Signed string

	IDHeader        string        // holds the delivery's id; only dedupe may trust one that is not signed
	TimestampHeader string        // holds the time of signing; it must be signed
	TimestampPrefix string        // in place of TimestampHeader: the entry of Header with this prefix, such as "t="
	TimestampFormat string        // unix (default), unix-ms or rfc3339
	Tolerance       time.Duration // accepted age and lead of the timestamp; 300 s by default

	SecretForm string // text (default), base64, hex, or whsec: base64 after an optional "whsec_"
}

// Bounds of what a sender may send and an administrator may configure.
const (
	DefaultTolerance = 300 * time.Second // what every Standard Webhooks library uses
	MinTolerance     = 30 * time.Second  // less refuses senders whose clock is fine
	MaxTolerance     = 900 * time.Second // more is a long time to replay in
	MaxHeader        = 4 << 10           // bytes of the signature's header
	MaxSignatures    = 8                 // entries in it: each costs a comparison per secret
	MaxID            = 256               // bytes of a delivery's id, as of an event's
)

// Usual is the scheme of a source of that kind that configures none.
func Usual(kind string) Scheme {
	if kind == "servicenow" {
		return ServiceNow()
	}
	return StandardWebhooks()
}

// StandardWebhooks is the symmetric scheme of www.standardwebhooks.com, v1.
func StandardWebhooks() Scheme {
	return Scheme{
		Header: "Webhook-Signature", Prefix: "v1,", Delimiter: " ",
		Algorithm: "sha256", Encoding: "base64", Signed: "{id}.{timestamp}.{body}",
		IDHeader: "Webhook-Id", TimestampHeader: "Webhook-Timestamp", TimestampFormat: "unix",
		Tolerance: DefaultTolerance, SecretForm: "whsec",
	}
}

// ServiceNow is what a script gets from GlideCertificateEncryption.generateMac
// over the request's body. It signs no time: a captured request stays valid,
// and only the event's id keeps it from being applied twice.
func ServiceNow() Scheme {
	return Scheme{
		Header: "X-Hmac-Signature", Algorithm: "sha256", Encoding: "base64",
		Signed: "{body}", SecretForm: "text",
	}
}

// withDefaults fills in what an administrator may leave out. Header, Encoding
// and Signed have no default: guessing one would be sniffing.
func (s Scheme) withDefaults() Scheme {
	set := func(field *string, value string) {
		if *field == "" {
			*field = value
		}
	}
	set(&s.Algorithm, "sha256")
	set(&s.TimestampFormat, "unix")
	set(&s.SecretForm, "text")
	if s.Tolerance == 0 {
		s.Tolerance = DefaultTolerance
	}
	return s
}
