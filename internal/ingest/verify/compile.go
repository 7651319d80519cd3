package verify

import (
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"errors"
	"fmt"
	"hash"
	"slices"
	"strings"
)

var algorithms = map[string]func() hash.Hash{"sha256": sha256.New, "sha512": sha512.New, "sha1": sha1.New}

// A Verifier checks requests against one scheme and its secrets. It is safe
// for concurrent use.
type Verifier struct {
	scheme    Scheme
	hash      func() hash.Hash
	decode    decoding
	keys      [][]byte
	pieces    []piece // of the signed text, {body} left out: it is always last
	id, stamp bool    // the scheme has an id, a timestamp
}

// New compiles a scheme. Its errors name the field, and never hold a secret.
func New(s Scheme, secrets []string) (*Verifier, error) {
	s = s.withDefaults()
	v := &Verifier{scheme: s, hash: algorithms[s.Algorithm], decode: decodings[s.Encoding]}
	v.id, v.stamp = s.IDHeader != "", s.TimestampHeader != "" || s.TimestampPrefix != ""
	if err := errors.Join(s.check(), v.compile()); err != nil {
		return nil, err
	}
	for i, secret := range secrets {
		key, err := decodeSecret(s.SecretForm, secret)
		if err != nil {
			return nil, fmt.Errorf("secrets[%d]: %w", i, err)
		}
		if slices.ContainsFunc(v.keys, func(k []byte) bool { return string(k) == string(key) }) {
			return nil, fmt.Errorf("secrets[%d]: is listed twice", i)
		}
		v.keys = append(v.keys, key)
	}
	if len(v.keys) == 0 {
		return nil, errors.New("secrets: there is none, and nothing is accepted unsigned")
	}
	return v, nil
}

// check refuses what New cannot take literally, field by field.
func (s Scheme) check() error {
	var errs []error
	refuse := func(bad bool, format string, args ...any) {
		if bad {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	refuse(!isHeader(s.Header), "header: %q is not a header's name", s.Header)
	refuse(s.IDHeader != "" && !isHeader(s.IDHeader), "id_header: %q is not a header's name", s.IDHeader)
	refuse(s.TimestampHeader != "" && !isHeader(s.TimestampHeader), "timestamp_header: %q is not a header's name", s.TimestampHeader)
	refuse(algorithms[s.Algorithm] == nil, "algorithm: %q is unknown; want sha256, sha512 or sha1", s.Algorithm)
	refuse(decodings[s.Encoding] == nil, "encoding: %q is unknown; want hex, base64, base64url or base64-of-hex", s.Encoding)
	refuse(timestamps[s.TimestampFormat] == nil, "timestamp_format: %q is unknown; want unix, unix-ms or rfc3339", s.TimestampFormat)
	refuse(!slices.Contains(secretForms, s.SecretForm), "secret_form: %q is unknown; want text, base64, hex or whsec", s.SecretForm)
	refuse(s.TimestampHeader != "" && s.TimestampPrefix != "", "timestamp_prefix: timestamp_header is set too; the time is in one place")
	refuse(s.TimestampPrefix != "" && s.Delimiter == "", "delimiter: is needed to find the entry of timestamp_prefix")
	refuse(s.TimestampPrefix != "" && s.Prefix == "", "prefix: is needed to tell signatures from the entry of timestamp_prefix")
	refuse(s.Tolerance < MinTolerance || s.Tolerance > MaxTolerance, "tolerance: %v is not within %v to %v", s.Tolerance, MinTolerance, MaxTolerance)
	return errors.Join(errs...)
}

// isHeader accepts a token of RFC 9110.
func isHeader(s string) bool {
	const tchar = "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	return s != "" && strings.Trim(s, tchar) == "" && !strings.EqualFold(s, "Host") // net/http takes Host out of the headers
}
