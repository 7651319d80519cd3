package verify

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Sign returns the headers of a request that a sender of the scheme signs at
// now. The id is used by schemes that have one. The secret is the one that both
// sides have, or for ed25519 the private key: the base64 of its 64 bytes after
// an optional "whsk_". It is for tools that stand in for a sender; what it
// returns has passed Verify, so that a request that could only be refused is an
// error here. Its errors never hold the secret.
func Sign(s Scheme, secret, id string, now time.Time, body []byte) (http.Header, error) {
	v, sign, err := newSigner(s, secret)
	if err != nil {
		return nil, fmt.Errorf("signing a request: %w", err)
	}
	s = v.scheme
	c := claims{id: id, stamp: stampings[s.TimestampFormat](now), body: body}
	c.head = v.head(c)
	value := s.Prefix + encodings[s.Encoding](sign(c))
	if s.TimestampPrefix != "" {
		value = s.TimestampPrefix + c.stamp + s.Delimiter + value
	}
	h := http.Header{}
	h.Set(s.Header, value)
	if v.id && (id != "" || v.signsID) {
		h.Set(s.IDHeader, id)
	}
	if s.TimestampHeader != "" {
		h.Set(s.TimestampHeader, c.stamp)
	}
	if _, refusal := v.verify(&Request{Header: h, Body: body}, now); refusal != "" {
		return nil, fmt.Errorf("signing a request with id %q: the scheme cannot carry it: %s", id, refusal)
	}
	return h, nil
}

// newSigner returns what verifies and what makes a sender's signatures.
func newSigner(s Scheme, secret string) (*signature, func(claims) []byte, error) {
	if s.Algorithm != ed25519Name {
		v, err := newSignature(s, []Key{{Secret: secret}})
		return v, func(c claims) []byte { return v.mac(0, c) }, err
	}
	private, err := decodePrivate(secret)
	if err != nil {
		return nil, nil, err
	}
	public := base64.StdEncoding.EncodeToString(private[ed25519.SeedSize:])
	v, err := newSignature(s, []Key{{Secret: public}})
	return v, func(c claims) []byte { return ed25519.Sign(private, c.text()) }, err
}

// decodePrivate reads the private and the public key, one after the other.
func decodePrivate(secret string) (ed25519.PrivateKey, error) {
	b, err := strictBase64(strings.TrimPrefix(secret, "whsk_"))
	if err != nil || len(b) != ed25519.PrivateKeySize || !bytes.Equal(ed25519.NewKeyFromSeed(b[:ed25519.SeedSize]), b) {
		return nil, errors.New("keys[0].secret: is not of the form whsk: the base64 of a private and its public key")
	}
	return b, nil
}

// encodings write what decodings read.
var encodings = map[string]func([]byte) string{
	"hex":           hex.EncodeToString,
	"base64":        base64.StdEncoding.EncodeToString,
	"base64url":     base64.RawURLEncoding.EncodeToString,
	"base64-of-hex": func(b []byte) string { return base64.StdEncoding.EncodeToString([]byte(hex.EncodeToString(b))) },
}

// stampings write what timestamps read.
var stampings = map[string]func(time.Time) string{
	"unix":    func(t time.Time) string { return strconv.FormatInt(t.Unix(), 10) },
	"unix-ms": func(t time.Time) string { return strconv.FormatInt(t.UnixMilli(), 10) },
	"rfc3339": func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
}
