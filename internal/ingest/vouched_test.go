package ingest

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"maps"
	"math/big"
	"strings"
	"testing"

	_ "changerelay/internal/ingest/expression" // the programs that have an ingest plug it in
	"changerelay/internal/ingest/verify"
)

// Attributes of an SNS message are signed by nobody: who has captured one could
// have it move another phone.
func TestDecodersSeeWhatIsSigned(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	const topic = "arn:aws:sns:eu-central-1:123456789012:changes"
	certificate := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	w := newWorld(t, withSource("sns", func(s *Source) {
		s.Kind, s.Checks = "mapped", verify.Config{SNS: &verify.SNS{Keys: []verify.Key{{Secret: certificate}}, Topics: []string{topic}}}
		s.Map = map[string]string{"when": "true", "ticket": "body.Subject", "id": "body.MessageId", "device": "body.Message",
			"items": `has(body.MessageAttributes) ? body.MessageAttributes.app.Value : "signed"`}
	}))
	message := map[string]any{"Message": phone, "MessageId": "m1", "Subject": "CHG1", "Timestamp": "2026-11-22T15:42:51.000Z", "TopicArn": topic, "Type": "Notification"}
	var text strings.Builder
	for _, name := range []string{"Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"} {
		text.WriteString(name + "\n" + message[name].(string) + "\n")
	}
	sum := sha256.Sum256([]byte(text.String()))
	signature, err := rsa.SignPKCS1v15(nil, key, crypto.SHA256, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	maps.Copy(message, map[string]any{"SignatureVersion": "2", "Signature": base64.StdEncoding.EncodeToString(signature),
		"SigningCertURL": "https://sns.eu-central-1.amazonaws.com/a.pem", "MessageAttributes": map[string]any{"app": map[string]any{"Type": "String", "Value": "strange"}}})
	body, err := json.Marshal(message)
	if err != nil {
		t.Fatal(err)
	}
	if rec := w.do(post("/v1/hooks/sns", string(body))); rec.Code != 202 {
		t.Fatalf("got %d %s", rec.Code, rec.Body)
	}
	for _, e := range w.broker.stored {
		if e.Changes[0].Item.ID != "signed" {
			t.Errorf("the item is %s", e.Changes[0].Item.ID)
		}
	}
}
