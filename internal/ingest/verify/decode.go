package verify

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"strconv"
	"strings"
	"time"
)

// A decoding turns the text of a signature into its bytes, strictly: one value
// has one text, or two where padding is left to senders.
type decoding func(string) ([]byte, error)

var decodings = map[string]decoding{
	"hex":           strictHex,
	"base64":        strictBase64,
	"base64url":     strictBase64URL,
	"base64-of-hex": base64OfHex,
}

// strictHex takes lower case only. All senders of hexadecimal signatures write
// it so.
func strictHex(s string) ([]byte, error) {
	if strings.ContainsAny(s, "ABCDEF") {
		return nil, errors.New("capital in hex")
	}
	return hex.DecodeString(s)
}

// strictBase64 refuses line breaks, which the decoder would skip, and trailing
// bits that are not zero.
func strictBase64(s string) ([]byte, error) {
	if strings.ContainsAny(s, "\r\n") {
		return nil, errors.New("line break in base64")
	}
	return base64.StdEncoding.Strict().DecodeString(s)
}

// strictBase64URL takes padding or none: senders differ.
func strictBase64URL(s string) ([]byte, error) {
	if strings.ContainsAny(s, "\r\n") {
		return nil, errors.New("line break in base64")
	}
	if strings.HasSuffix(s, "=") {
		return base64.URLEncoding.Strict().DecodeString(s)
	}
	return base64.RawURLEncoding.Strict().DecodeString(s)
}

func base64OfHex(s string) ([]byte, error) {
	text, err := strictBase64(s)
	if err != nil {
		return nil, err
	}
	return strictHex(string(text))
}

var secretForms = []string{"text", "base64", "hex", "whsec", "whpk"}

// decodeSecret returns the key's bytes. Its errors say nothing of the secret
// but what form was expected.
func decodeSecret(form, secret string) ([]byte, error) {
	if strings.TrimSpace(secret) == "" {
		return nil, errors.New("is empty")
	}
	var key []byte
	var err error
	switch form {
	case "text":
		key = []byte(secret)
	case "base64":
		key, err = strictBase64(secret)
	case "hex":
		key, err = hex.DecodeString(secret)
	case "whsec":
		key, err = strictBase64(strings.TrimPrefix(secret, "whsec_"))
	case "whpk":
		key, err = strictBase64(strings.TrimPrefix(secret, "whpk_"))
	}
	if err != nil || len(key) == 0 || form == "whpk" && len(key) != ed25519.PublicKeySize {
		return nil, errors.New("is not of the form " + form)
	}
	return key, nil
}

// timestamps parse the formats of a time, each with one text per value.
var timestamps = map[string]func(string) (time.Time, bool){
	"unix":    func(s string) (time.Time, bool) { n, ok := digits(s, 11); return time.Unix(n, 0), ok },
	"unix-ms": func(s string) (time.Time, bool) { n, ok := digits(s, 14); return time.UnixMilli(n), ok },
	"rfc3339": rfc3339,
}

// digits accepts a decimal number without sign or leading zero.
func digits(s string, most int) (int64, bool) {
	if s == "" || len(s) > most || s[0] == '0' || strings.Trim(s, "0123456789") != "" {
		return 0, false
	}
	n, err := strconv.ParseInt(s, 10, 64)
	return n, err == nil
}

// rfc3339 checks the shape first: time.Parse alone would take one-digit hours
// and a comma before the fraction.
func rfc3339(s string) (time.Time, bool) {
	const shape = "0000-00-00T00:00:00"
	if len(s) <= len(shape) || len(s) > len(time.RFC3339Nano) || strings.Contains(s, ",") {
		return time.Time{}, false
	}
	for i := range len(shape) {
		digit := s[i] >= '0' && s[i] <= '9'
		if digit != (shape[i] == '0') || !digit && s[i] != shape[i] {
			return time.Time{}, false
		}
	}
	t, err := time.Parse(time.RFC3339, s)
	return t, err == nil
}
