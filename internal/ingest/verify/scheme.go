package verify

import "time"

// A Scheme says how a sender signs. Its zero value is not valid.
type Scheme struct {
	Header     string // holds the signature
	Prefix     string // stands before each signature, such as "sha256="; an entry with another one is skipped
	Delimiter  string // between several signatures in Header; "" is a single one
	PrefixOnce bool   // Prefix stands once, before the first signature
	Algorithm  string // of the HMAC: sha256 (default), sha512, or sha1 for a sender that has nothing better; or ed25519
	Encoding   string // hex, base64, base64url, or base64-of-hex as CryptoJS scripts produce it

	// Signed is the signed text: {body} at its end, and before it {id},
	// {timestamp} and literals, such as "{id}.{timestamp}.{body}".
	Signed string

	IDHeader        string        // holds the delivery's id; one that is not signed may be absent, and only dedupe may trust it
	TimestampHeader string        // holds the time of signing; it must be signed
	TimestampPrefix string        // in place of TimestampHeader: the entry of Header with this prefix, such as "t="
	TimestampFormat string        // unix (default), unix-ms or rfc3339
	Tolerance       time.Duration // accepted age and lead of the timestamp; 300 s by default

	// SecretForm is text (default), base64, hex, or whsec: base64 after an
	// optional "whsec_". Of ed25519 it is whpk: the public key's base64 after an
	// optional "whpk_".
	SecretForm string
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
	if s.Algorithm == ed25519Name {
		set(&s.SecretForm, "whpk")
	}
	set(&s.SecretForm, "text")
	if s.Tolerance == 0 {
		s.Tolerance = DefaultTolerance
	}
	return s
}

// Weak says why the scheme should be replaced if the sender can do better, or "".
func (s Scheme) Weak() string {
	if s.Algorithm == "sha1" {
		return "signs with HMAC-SHA1; use a sender's SHA-256 if it has one"
	}
	return ""
}

// weak is why the scheme or its keys should be replaced.
func (v *signature) weak() (why []string) {
	if s := v.scheme.Weak(); s != "" {
		why = append(why, s)
	}
	return append(why, weakKeys(v.keys)...)
}
