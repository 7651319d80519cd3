package graph

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"regexp"
	"strings"
)

// Parameters of a challenge (RFC 9110, section 11.6.1). Entra quotes them all.
var (
	claimsForm = regexp.MustCompile(`(?i)\bclaims="([A-Za-z0-9+/_-]+=*)"`)
	lackForm   = regexp.MustCompile(`(?i)\berror="insufficient_claims"`)
)

// challenge finds the claims that the next token must have, as JSON, or "". A
// reply that has none, or unreadable ones, asks for a new token all the same
// (learn.microsoft.com/entra/identity-platform/claims-challenge).
func challenge(h http.Header) string {
	for _, line := range h.Values("WWW-Authenticate") {
		m := claimsForm.FindStringSubmatch(line)
		if m == nil || len(m[1]) > maxClaims || !lackForm.MatchString(line) {
			continue
		}
		if claims := decodeClaims(m[1]); claims != "" {
			return claims
		}
	}
	return ""
}

// decodeClaims takes both alphabets of base64, padded or not. What is no JSON
// object must not get into a token request.
func decodeClaims(text string) string {
	text = strings.TrimRight(strings.NewReplacer("+", "-", "/", "_").Replace(text), "=")
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || !json.Valid(b) || !bytes.HasPrefix(bytes.TrimSpace(b), []byte("{")) {
		return ""
	}
	return string(b)
}
