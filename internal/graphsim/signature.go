package graphsim

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha1" // #nosec G505 -- x5t is a name (RFC 7515), not a proof
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"math/big"
	"strings"
)

// names says whether the header's thumbprint is the certificate's: x5t#S256 or x5t (RFC 7515), or
// the hexadecimal SHA-1 that some clients put into kid.
func (a *assertion) names(c *x509.Certificate) bool {
	old := sha1.Sum(c.Raw) // #nosec G401 -- as above
	h := sha256.Sum256(c.Raw)
	switch {
	case a.header.X5t2 != "":
		return thumbprint(a.header.X5t2, h[:])
	case a.header.X5t != "":
		return thumbprint(a.header.X5t, old[:])
	}
	return same(a.header.Kid, hex.EncodeToString(old[:]))
}

// thumbprint compares as Entra does: MSAL writes base64 where the RFC wants base64url.
func thumbprint(text string, sum []byte) bool {
	return strings.TrimRight(strings.NewReplacer("+", "-", "/", "_").Replace(text), "=") == base64.RawURLEncoding.EncodeToString(sum)
}

// verifies checks the signature. The algorithm must be the key's own, so "none" and an HMAC over
// the public key are never accepted.
func (a *assertion) verifies(key crypto.PublicKey) bool {
	sum := sha256.Sum256([]byte(a.signed))
	switch k := key.(type) {
	case *rsa.PublicKey:
		switch a.header.Alg {
		case "RS256":
			return rsa.VerifyPKCS1v15(k, crypto.SHA256, sum[:], a.signature) == nil
		case "PS256":
			return rsa.VerifyPSS(k, crypto.SHA256, sum[:], a.signature, nil) == nil
		}
	case *ecdsa.PublicKey:
		return a.header.Alg == "ES256" && k.Curve == elliptic.P256() && len(a.signature) == 64 &&
			ecdsa.Verify(k, sum[:], new(big.Int).SetBytes(a.signature[:32]), new(big.Int).SetBytes(a.signature[32:]))
	}
	return false
}
