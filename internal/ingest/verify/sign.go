package verify

import (
	"crypto/hmac"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// Sign returns the headers of a request that a sender of the scheme signs at
// now. The id is used by schemes that have one. It is for tools that stand in
// for a sender; what it returns has passed Verify, so that a request that could
// only be refused is an error here. Its errors never hold the secret.
func Sign(s Scheme, secret, id string, now time.Time, body []byte) (http.Header, error) {
	v, err := New(s, []string{secret})
	if err != nil {
		return nil, fmt.Errorf("signing a request: %w", err)
	}
	s = v.scheme
	c := claims{id: id, stamp: stampings[s.TimestampFormat](now)}
	value := s.Prefix + encodings[s.Encoding](v.mac(v.keys[0], c, body))
	if s.TimestampPrefix != "" {
		value = s.TimestampPrefix + c.stamp + s.Delimiter + value
	}
	h := http.Header{}
	h.Set(s.Header, value)
	if v.id {
		h.Set(s.IDHeader, id)
	}
	if s.TimestampHeader != "" {
		h.Set(s.TimestampHeader, c.stamp)
	}
	if _, err := v.Verify(h, body, now); err != nil {
		return nil, fmt.Errorf("signing a request with id %q: the scheme cannot carry it: %w", id, err)
	}
	return h, nil
}

// mac is the MAC of the signed text under a key.
func (v *Verifier) mac(key []byte, c claims, body []byte) []byte {
	mac := hmac.New(v.hash, key)
	for _, p := range v.pieces {
		switch p.place {
		case "id":
			mac.Write([]byte(c.id))
		case "timestamp":
			mac.Write([]byte(c.stamp))
		default:
			mac.Write([]byte(p.literal))
		}
	}
	mac.Write(body)
	return mac.Sum(nil)
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
