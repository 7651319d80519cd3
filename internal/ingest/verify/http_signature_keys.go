package verify

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"strings"
)

// An httpKey is an HTTPKey, compiled.
type httpKey struct {
	key
	algorithm string
	fits      fitting
}

// A fitting says whether a signature is of a signature base.
type fitting func(base, signature []byte) bool

// httpAlgorithms read a key (RFC 9421, section 3.3). Their errors say nothing
// of it.
var httpAlgorithms = map[string]func(secret string) (fitting, error){
	"hmac-sha256": hmacKey,
	"ed25519":     ed25519Key,
	"ecdsa-p256-sha256": func(s string) (fitting, error) {
		return ecdsaKey(s, elliptic.P256(), func(b []byte) []byte { sum := sha256.Sum256(b); return sum[:] })
	},
	"ecdsa-p384-sha384": func(s string) (fitting, error) {
		return ecdsaKey(s, elliptic.P384(), func(b []byte) []byte { sum := sha512.Sum384(b); return sum[:] })
	},
	"rsa-pss-sha512": func(s string) (fitting, error) {
		return rsaKey(s, func(k *rsa.PublicKey, base, signature []byte) error {
			sum := sha512.Sum512(base)
			return rsa.VerifyPSS(k, crypto.SHA512, sum[:], signature, &rsa.PSSOptions{SaltLength: 64})
		})
	},
	"rsa-v1_5-sha256": func(s string) (fitting, error) {
		return rsaKey(s, func(k *rsa.PublicKey, base, signature []byte) error {
			sum := sha256.Sum256(base)
			return rsa.VerifyPKCS1v15(k, crypto.SHA256, sum[:], signature)
		})
	},
}

func newHTTPKey(k key, algorithm string) (httpKey, error) {
	read, known := httpAlgorithms[algorithm]
	if !known {
		return httpKey{}, fmt.Errorf("algorithm: %q is unknown; want hmac-sha256, ed25519, ecdsa-p256-sha256, "+
			"ecdsa-p384-sha384, rsa-pss-sha512 or rsa-v1_5-sha256", algorithm)
	}
	fits, err := read(string(k.bytes))
	if err != nil {
		return httpKey{}, fmt.Errorf("secret: %w", err)
	}
	if algorithm == "hmac-sha256" {
		raw, _ := strictBase64(string(k.bytes)) // it was read just now
		k.weak = len(raw) < GoodSecret
	}
	return httpKey{k, algorithm, fits}, nil
}

func hmacKey(secret string) (fitting, error) {
	k, err := strictBase64(secret)
	if err != nil || len(k) == 0 {
		return nil, errors.New("is not the base64 of a key")
	}
	return func(base, signature []byte) bool {
		mac := hmac.New(sha256.New, k)
		mac.Write(base)
		return hmac.Equal(mac.Sum(nil), signature)
	}, nil
}

// ed25519Key takes PEM, or the base64 of the 32 bytes.
func ed25519Key(secret string) (fitting, error) {
	raw, err := strictBase64(secret)
	k := ed25519.PublicKey(raw)
	if err != nil {
		if k, err = publicKey[ed25519.PublicKey](secret); err != nil {
			return nil, err
		}
	}
	if len(k) != ed25519.PublicKeySize {
		return nil, fmt.Errorf("is not the base64 of %d bytes", ed25519.PublicKeySize)
	}
	return func(base, signature []byte) bool { return ed25519.Verify(k, base, signature) }, nil
}

// ecdsaKey reads a key whose signatures are two numbers, one after the other,
// each as long as the curve's.
func ecdsaKey(secret string, curve elliptic.Curve, hash func([]byte) []byte) (fitting, error) {
	k, err := publicKey[*ecdsa.PublicKey](secret)
	if err != nil {
		return nil, err
	}
	if k.Curve != curve {
		return nil, fmt.Errorf("is a key of %s, and the algorithm is for %s", k.Curve.Params().Name, curve.Params().Name)
	}
	size := curve.Params().BitSize / 8
	return func(base, signature []byte) bool {
		if len(signature) != 2*size {
			return false
		}
		r, s := new(big.Int).SetBytes(signature[:size]), new(big.Int).SetBytes(signature[size:])
		return ecdsa.Verify(k, hash(base), r, s)
	}, nil
}

func rsaKey(secret string, verify func(k *rsa.PublicKey, base, signature []byte) error) (fitting, error) {
	k, err := publicKey[*rsa.PublicKey](secret)
	if err != nil {
		return nil, err
	}
	if k.N.BitLen() < minRSA {
		return nil, fmt.Errorf("is an RSA key of fewer than %d bits", minRSA)
	}
	return func(base, signature []byte) bool { return verify(k, base, signature) == nil }, nil
}

// publicKey reads one PEM block of PKIX form, and nothing else: a private key
// has no place here.
func publicKey[K any](text string) (k K, err error) {
	block, rest := pem.Decode([]byte(text))
	if block == nil || block.Type != "PUBLIC KEY" || !strings.HasPrefix(text, "-----BEGIN ") || len(rest) > 0 {
		return k, errors.New("is not one public key in PEM form, from -----BEGIN PUBLIC KEY----- on")
	}
	parsed, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return k, errors.New("holds a public key that cannot be read")
	}
	k, ok := parsed.(K)
	if !ok {
		return k, errors.New("is a public key of another kind than the algorithm's")
	}
	return k, nil
}
