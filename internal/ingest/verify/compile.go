package verify

import (
	"crypto/hmac"
	"crypto/sha1" // #nosec G505 -- for senders that have nothing better, by name and with a warning; as an HMAC it is not broken
	"crypto/sha256"
	"crypto/sha512"
	"errors"
	"fmt"
	"hash"
	"net/textproto"
	"slices"
	"strings"
	"sync"
)

// ed25519Name is the one algorithm that is no HMAC.
const ed25519Name = "ed25519"

// algorithms are those of HMAC.
var algorithms = map[string]func() hash.Hash{"sha256": sha256.New, "sha512": sha512.New, "sha1": sha1.New}

// A signature checks requests against one scheme and its keys.
type signature struct {
	scheme    Scheme
	hash      func() hash.Hash // of the HMAC; nil: ed25519
	decode    decoding
	keys      []key
	macs      []sync.Pool // of HMACs that have hashed their key already: one pool a key, none of ed25519
	pieces    []piece     // of the signed text, {body} left out: it is always last
	id, stamp bool        // the scheme has an id, a timestamp
	signsID   bool
}

// newSignature compiles a scheme. Its errors name the field, and never hold a
// secret.
func newSignature(s Scheme, keys []Key) (*signature, error) {
	s = s.withDefaults()
	v := &signature{scheme: s, hash: algorithms[s.Algorithm], decode: decodings[s.Encoding]}
	v.id, v.stamp = s.IDHeader != "", s.TimestampHeader != "" || s.TimestampPrefix != ""
	if err := errors.Join(s.check(), v.compile()); err != nil {
		return nil, err
	}
	v.signsID = slices.Contains(v.pieces, piece{place: "id"})
	var err error
	v.keys, err = newKeys(keys, func(secret string) ([]byte, error) { return decodeSecret(s.SecretForm, secret) })
	if err != nil {
		return nil, err
	}
	v.prepare()
	return v, nil
}

// prepare makes the pools of HMACs.
func (v *signature) prepare() {
	if v.hash == nil {
		return
	}
	v.macs = make([]sync.Pool, len(v.keys))
	for i, k := range v.keys {
		v.keys[i].weak = len(k.bytes) < GoodSecret
		v.macs[i].New = func() any { return hmac.New(v.hash, k.bytes) }
	}
}

// check refuses what cannot be taken literally, field by field.
func (s Scheme) check() error {
	var errs []error
	refuse := func(bad bool, format string, args ...any) {
		if bad {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	asymmetric := s.Algorithm == ed25519Name
	refuse(!isHeader(s.Header), "header: %q is not a header's name", s.Header)
	refuse(s.IDHeader != "" && !isHeader(s.IDHeader), "id_header: %q is not a header's name", s.IDHeader)
	refuse(s.TimestampHeader != "" && !isHeader(s.TimestampHeader), "timestamp_header: %q is not a header's name", s.TimestampHeader)
	refuse(algorithms[s.Algorithm] == nil && !asymmetric, "algorithm: %q is unknown; want sha256, sha512, sha1 or ed25519", s.Algorithm)
	refuse(decodings[s.Encoding] == nil, "encoding: %q is unknown; want hex, base64, base64url or base64-of-hex", s.Encoding)
	refuse(timestamps[s.TimestampFormat] == nil, "timestamp_format: %q is unknown; want unix, unix-ms or rfc3339", s.TimestampFormat)
	refuse(!slices.Contains(secretForms, s.SecretForm), "secret_form: %q is unknown; want text, base64, hex, whsec or whpk", s.SecretForm)
	refuse(asymmetric != (s.SecretForm == "whpk"), "secret_form: %q is not of algorithm %q; whpk and ed25519 go together", s.SecretForm, s.Algorithm)
	refuse(s.TimestampHeader != "" && s.TimestampPrefix != "", "timestamp_prefix: timestamp_header is set too; the time is in one place")
	refuse(s.TimestampPrefix != "" && s.Delimiter == "", "delimiter: is needed to find the entry of timestamp_prefix")
	refuse(s.TimestampPrefix != "" && s.Prefix == "", "prefix: is needed to tell signatures from the entry of timestamp_prefix")
	refuse(s.PrefixOnce && s.TimestampPrefix != "", "prefix_once: timestamp_prefix is set too, and its entry would be one of the signatures")
	refuse(s.Delimiter != "" && strings.Contains(s.Prefix, s.Delimiter), "prefix: %q holds the delimiter, and so no signature has it", s.Prefix)
	refuse(s.Tolerance < MinTolerance || s.Tolerance > MaxTolerance, "tolerance: %v is not within %v to %v", s.Tolerance, MinTolerance, MaxTolerance)
	return errors.Join(errs...)
}

// isHeader accepts a token of RFC 9110.
func isHeader(s string) bool {
	const tchar = "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	return s != "" && strings.Trim(s, tchar) == "" && !strings.EqualFold(s, "Host") // net/http takes Host out of the headers
}

// signedHeaders are those whose values are in the signed text.
func (v *signature) signedHeaders() (names []string) {
	if v.signsID {
		names = append(names, textproto.CanonicalMIMEHeaderKey(v.scheme.IDHeader))
	}
	if v.scheme.TimestampHeader != "" {
		names = append(names, textproto.CanonicalMIMEHeaderKey(v.scheme.TimestampHeader))
	}
	return names
}

func (v *signature) about() about {
	return about{name: "signature", keys: ids(v.keys), ends: ends(v.keys), signsTime: v.stamp, signsBody: true, weak: v.weak()}
}
