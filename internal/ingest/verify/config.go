package verify

import (
	"crypto/x509"
	"net/http"
	"time"
)

// A Request is one request as it came in: nothing of it has been parsed.
type Request struct {
	Method    string
	Authority string // Host header, or :authority
	Path      string // as it was sent, percent-encoding and all
	Query     string // as it was sent, without the question mark
	Header    http.Header
	Body      []byte
	Client    *x509.Certificate // of a client whose chain the server has verified; nil without TLS or without one
}

// A Key is one of the secrets that are good at a time. While a secret is
// rotated there are two.
type Key struct {
	ID        string    // for the metric and the log: 1 to 128 of visible ASCII but quote and backslash; unique among the keys of a check; "": its index
	Secret    string    // its form is the check's
	NotBefore time.Time // zero: since ever
	NotAfter  time.Time // zero: for ever
}

// A Config is the checks of a source. Every one that is there must pass, and
// one at least must be there.
type Config struct {
	Signature     *Signature     // over the body, with a parametric scheme
	HTTPSignature *HTTPSignature // RFC 9421
	SNS           *SNS           // over fields of the body, as AWS SNS does
	Bearer        *Bearer        // a JWT
	Header        *Header        // a static secret in a header
	Basic         *Basic         // a name and a password
	Certificate   *Certificate   // of the TLS client
	ClientState   *ClientState   // a static secret in each of Graph's notifications
}

// A Signature is a MAC or an Ed25519 signature over a text that holds the body.
type Signature struct {
	Scheme Scheme
	Keys   []Key
}

// An HTTPSignature is one of RFC 9421. The algorithm is the key's; a signature
// that names another is refused. With content-digest among the components, the
// digest of RFC 9530 is checked against the body.
type HTTPSignature struct {
	Keys       []HTTPKey
	Components []string      // that must be signed; nil: DefaultComponents
	Tag        string        // that the signature must have; "" asks for none
	Tolerance  time.Duration // accepted age and lead of created; 0: DefaultTolerance
}

// DefaultComponents leave nothing to be swapped. Behind a proxy that changes
// the path, list others.
var DefaultComponents = []string{"@method", "@authority", "@path", "@query", "content-type", "content-digest"}

// An HTTPKey is a key of RFC 9421. Its ID is the keyid parameter. Its Secret is
// a public key in PEM form, or for hmac-sha256 the base64 of the key.
type HTTPKey struct {
	Key
	Algorithm string // hmac-sha256, ed25519, ecdsa-p256-sha256, ecdsa-p384-sha384, rsa-pss-sha512 or rsa-v1_5-sha256
}

// SNS is the signature of an Amazon SNS message. The certificate is configured:
// the URL of one that a message holds is checked and never fetched.
type SNS struct {
	Keys   []Key    // certificates in PEM form
	Topics []string // ARNs; anybody can sign a message of their own topic
}

// A Bearer is a JWT in the Authorization header: of Entra ID, or of any issuer
// that says who asks in azp or appid. Issuers other than Entra ID have no idtyp:
// one of these must give the clients tokens for applications only, for a token
// that it gives a person through such a client looks the same.
type Bearer struct {
	Issuer     string        // iss, exactly
	Audiences  []string      // aud: one of these
	Tenant     string        // tid; "" asks for none
	Clients    []string      // azp, or appid in a version 1 token: one of these
	Roles      []string      // one of these; nil asks for none
	Algorithms []string      // nil: RS256
	JWKSURL    string        // https; where the issuer's keys are
	JWKS       []byte        // the keys themselves, in place of JWKSURL
	Leeway     time.Duration // for clocks, of exp and nbf; 0: DefaultLeeway
	Client     *http.Client  // fetches JWKSURL; nil is one with bounds
}

// DefaultLeeway is what clocks may differ for a token.
const DefaultLeeway = 60 * time.Second

// A Header is a static secret in a header that the sender is told to set.
type Header struct {
	Name   string // such as X-Automation-Token, or Authorization
	Prefix string // before the secret, such as "Bearer "
	Keys   []Key
}

// Basic is the authentication of RFC 7617.
type Basic struct {
	User string
	Keys []Key // passwords
}

// A Certificate is the TLS client's. Its chain was verified by the server; one
// of the names must fit.
type Certificate struct {
	Subjects []string // distinguished names, the whole of one in the form of RFC 2253, such as CN=snow,O=Acme
	DNSNames []string // subject alternative names, in any letter case
}

// ClientState is Graph's: every notification in the body must hold one of the
// keys. It is in the body, so the body is parsed, in bounds, to find it.
type ClientState struct{ Keys []Key }
