package boot_test

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"changerelay/internal/ingest/verify"
)

// token is one of the issuer's for the client.
func (d *desk) token(t *testing.T, b *verify.Bearer) string {
	t.Helper()
	claims := jwt.MapClaims{"iss": b.Issuer, "aud": b.Audiences[0], "azp": b.Clients[0], "idtyp": "app", "roles": b.Roles,
		"exp": arrived.Add(time.Hour).Unix()}
	if b.Tenant != "" {
		claims["tid"] = b.Tenant
	}
	token := jwt.NewWithClaims(jwt.SigningMethodRS256, claims)
	token.Header["kid"] = "issuer"
	text, err := token.SignedString(d.rsa)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func (d *desk) jwks() string {
	encode := base64.RawURLEncoding.EncodeToString
	return fmt.Sprintf(`{"keys":[{"kty":"RSA","kid":"issuer","use":"sig","alg":"RS256","n":"%s","e":"%s"}]}`,
		encode(d.rsa.N.Bytes()), encode(big.NewInt(int64(d.rsa.E)).Bytes()))
}

// certificate is Amazon's, in PEM form.
func (d *desk) certificate(t *testing.T) string {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{SerialNumber: big.NewInt(1)}, &x509.Certificate{}, d.rsa.Public(), d.rsa)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

// signSNS signs a message as docs.aws.amazon.com/sns, "Verifying the signatures
// of Amazon SNS messages", has it.
func (d *desk) signSNS(t *testing.T, body []byte) string {
	t.Helper()
	var m map[string]string
	if err := json.Unmarshal(body, &m); err != nil {
		t.Fatal(err)
	}
	names := []string{"Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"}
	if m["Type"] != "Notification" {
		names = []string{"Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"}
	}
	text := ""
	for _, name := range names {
		if value, there := m[name]; there {
			text += name + "\n" + value + "\n"
		}
	}
	sum := sha256.Sum256([]byte(text))
	signature, err := rsa.SignPKCS1v15(rand.Reader, d.rsa, crypto.SHA256, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	return base64.StdEncoding.EncodeToString(signature)
}
