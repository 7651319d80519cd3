package verify

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"
)

func hmacSum(secret, text string) []byte {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(text))
	return mac.Sum(nil)
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func pemOf(public any) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: must(x509.MarshalPKIXPublicKey(public))}))
}

// rawECDSA signs as RFC 9421 has it: r, then s.
func rawECDSA(k *ecdsa.PrivateKey, sum []byte) []byte {
	r, s, err := ecdsa.Sign(rand.Reader, k, sum)
	must(0, err)
	size := k.Params().BitSize / 8
	return append(r.FillBytes(make([]byte, size)), s.FillBytes(make([]byte, size))...)
}

// Every algorithm accepts what its key signed, and no other key of its kind,
// nor another algorithm with the same key.
func TestHTTPSignatureAlgorithms(t *testing.T) {
	rsaPrivate := must(rsa.GenerateKey(rand.Reader, 2048))
	p256 := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	p384 := must(ecdsa.GenerateKey(elliptic.P384(), rand.Reader))
	edPublic, edPrivate, err := ed25519.GenerateKey(rand.Reader)
	must(0, err)
	sum256 := func(b string) []byte { sum := sha256.Sum256([]byte(b)); return sum[:] }
	sum384 := func(b string) []byte { sum := sha512.Sum384([]byte(b)); return sum[:] }
	sum512 := func(b string) []byte { sum := sha512.Sum512([]byte(b)); return sum[:] }
	for _, c := range []struct {
		name, secret, alg string
		sign              func(base string) []byte
		fine              bool
	}{
		{"hmac", base64.StdEncoding.EncodeToString([]byte("k")), "hmac-sha256", func(b string) []byte { return hmacSum("k", b) }, true},
		{"ed25519", pemOf(edPublic), "ed25519", func(b string) []byte { return ed25519.Sign(edPrivate, []byte(b)) }, true},
		{"ed25519 as bytes", base64.StdEncoding.EncodeToString(edPublic) + "\n", "ed25519", func(b string) []byte { return ed25519.Sign(edPrivate, []byte(b)) }, true},
		{"p256", pemOf(&p256.PublicKey), "ecdsa-p256-sha256", func(b string) []byte { return rawECDSA(p256, sum256(b)) }, true},
		{"p256 as ASN.1", pemOf(&p256.PublicKey), "ecdsa-p256-sha256", func(b string) []byte { return must(ecdsa.SignASN1(rand.Reader, p256, sum256(b))) }, false},
		{"p256, longer", pemOf(&p256.PublicKey), "ecdsa-p256-sha256", func(b string) []byte { return slices.Insert(rawECDSA(p256, sum256(b)), 32, 0) }, false},
		{"p256, zeros", pemOf(&p256.PublicKey), "ecdsa-p256-sha256", func(string) []byte { return make([]byte, 64) }, false},
		{"p384", pemOf(&p384.PublicKey), "ecdsa-p384-sha384", func(b string) []byte { return rawECDSA(p384, sum384(b)) }, true},
		{"p384 over sha256", pemOf(&p384.PublicKey), "ecdsa-p384-sha384", func(b string) []byte { return rawECDSA(p384, sum256(b)) }, false},
		{"pss", pemOf(&rsaPrivate.PublicKey), "rsa-pss-sha512", func(b string) []byte {
			return must(rsa.SignPSS(rand.Reader, rsaPrivate, crypto.SHA512, sum512(b), &rsa.PSSOptions{SaltLength: 64}))
		}, true},
		{"pss, a short salt", pemOf(&rsaPrivate.PublicKey), "rsa-pss-sha512", func(b string) []byte {
			return must(rsa.SignPSS(rand.Reader, rsaPrivate, crypto.SHA512, sum512(b), &rsa.PSSOptions{SaltLength: 32}))
		}, false},
		{"v1.5", pemOf(&rsaPrivate.PublicKey), "rsa-v1_5-sha256", func(b string) []byte {
			return must(rsa.SignPKCS1v15(rand.Reader, rsaPrivate, crypto.SHA256, sum256(b)))
		}, true},
		{"v1.5 as pss", pemOf(&rsaPrivate.PublicKey), "rsa-pss-sha512", func(b string) []byte {
			return must(rsa.SignPKCS1v15(rand.Reader, rsaPrivate, crypto.SHA512, sum512(b)))
		}, false},
		{"hmac with a public key", pemOf(edPublic), "ed25519", func(b string) []byte { return hmacSum(pemOf(edPublic), b) }, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := signer{"snow", c.alg, c.sign}
			r := hello()
			s.seal(r, "sig", usual, created)
			check := httpCheck(t, HTTPSignature{Keys: []HTTPKey{s.key(c.secret)}})
			if _, refusal := check.verify(r, at); c.fine != (refusal == "") {
				t.Errorf("fine is %v, but the refusal is %q", c.fine, refusal)
			}
			r.Method = "PUT"
			if _, refusal := check.verify(r, at); refusal != BadSignature {
				t.Errorf("with another method: %q", refusal)
			}
		})
	}
}

// What cannot be verified is refused at start, with the field's name first, and
// without the secret.
func TestNewHTTPSignature(t *testing.T) {
	weak := &rsa.PublicKey{N: new(big.Int).SetBit(big.NewInt(1), 2046, 1), E: 65537} // 2047 bits
	p256 := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	private := string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: must(x509.MarshalPKCS8PrivateKey(p256))}))
	good := HTTPKey{Key{ID: "a", Secret: "c2VjcmV0"}, "hmac-sha256"}
	key := func(alg, secret string) HTTPSignature {
		return HTTPSignature{Keys: []HTTPKey{good, {Key{ID: "b", Secret: secret}, alg}}}
	}
	components := func(list ...string) HTTPSignature {
		return HTTPSignature{Keys: []HTTPKey{good}, Components: list}
	}
	for want, s := range map[string]HTTPSignature{
		"keys: there is none":                           {},
		"keys[0].id: is empty":                          {Keys: []HTTPKey{{Key{Secret: "c2VjcmV0"}, "hmac-sha256"}}},
		"keys[1].id: another key":                       {Keys: []HTTPKey{good, {Key{ID: "a", Secret: "b3RoZXI="}, "hmac-sha256"}}},
		"keys[1].secret: is listed twice":               {Keys: []HTTPKey{good, {Key{ID: "b", Secret: "c2VjcmV0"}, "hmac-sha256"}}},
		`keys[1].algorithm: "" is unknown`:              key("", "b3RoZXI="),
		`keys[1].algorithm: "none" is unknown`:          key("none", "b3RoZXI="),
		"keys[1].secret: is not the base64 of a key":    key("hmac-sha256", "s3cr3t!"),
		"keys[1].secret: is not one public key":         key("rsa-pss-sha512", private),
		"keys[1].secret: is not one public key in PEM ": key("ecdsa-p256-sha256", pemOf(&p256.PublicKey)+pemOf(&p256.PublicKey)),
		"keys[1].secret: is not the base64 of 32 bytes": key("ed25519", "b3RoZXI="),
		"keys[1].secret: is a public key of another":    key("ed25519", pemOf(&p256.PublicKey)),
		"keys[1].secret: is a key of P-256":             key("ecdsa-p384-sha384", pemOf(&p256.PublicKey)),
		"keys[1].secret: is an RSA key of fewer":        key("rsa-v1_5-sha256", pemOf(weak)),
		"tolerance: 29s":                                {Keys: []HTTPKey{good}, Tolerance: 29 * time.Second},
		"tolerance: 15m1s":                              {Keys: []HTTPKey{good}, Tolerance: 901 * time.Second},
		"components: lacks content-digest":              components("@method"),
		`components[1]: "@scheme"`:                      components("content-digest", "@scheme"),
		`components[0]: "@query-param"`:                 components("@query-param"),
		`components[0]: "con tent"`:                     components("con tent"),
		`components[1]: "content-digest" is listed`:     components("content-digest", "Content-Digest"),
	} {
		_, err := newHTTPSignature(s)
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		} else if strings.Contains(err.Error(), "s3cr3t") || strings.Contains(err.Error(), "MII") {
			t.Errorf("the error holds the secret: %v", err)
		}
	}
	_, err := newHTTPSignature(HTTPSignature{Components: []string{"@x"}, Tolerance: 1})
	if err == nil || strings.Count(err.Error(), "\n") != 2 {
		t.Errorf("got %v, want all three mistakes", err)
	}
}

func TestHTTPSignatureAbout(t *testing.T) {
	for want, components := range map[bool][]string{true: nil, false: {}} {
		a := sharedCheck(t, components).about()
		if a.name != "http_signature" || len(a.keys) != 1 || a.keys[0] != "snow" || !a.signsTime || a.signsBody != want {
			t.Errorf("got %+v", a)
		}
	}
}
