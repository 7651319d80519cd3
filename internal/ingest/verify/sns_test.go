package verify

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"maps"
	"math/big"
	"strings"
	"testing"
	"time"
)

const topic = "arn:aws:sns:eu-central-1:123456789012:changes"

// amazon signs messages.
type amazon struct {
	private *rsa.PrivateKey
	pem     string
}

func newAmazon(t *testing.T) *amazon {
	t.Helper()
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return &amazon{private, certificateOf(t, private)}
}

func certificateOf(t *testing.T, private crypto.Signer) string {
	t.Helper()
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "sns.amazonaws.com"}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

// body is a message of these fields; order is that of the signed text.
func (a *amazon) body(t *testing.T, version string, order []string, fields map[string]any) []byte {
	t.Helper()
	var text strings.Builder
	for _, name := range order {
		if value, ok := fields[name].(string); ok {
			text.WriteString(name + "\n" + value + "\n")
		}
	}
	hash := map[string]crypto.Hash{"1": crypto.SHA1, "2": crypto.SHA256}[version]
	h := hash.New()
	h.Write([]byte(text.String()))
	signature, err := rsa.SignPKCS1v15(nil, a.private, hash, h.Sum(nil))
	if err != nil {
		t.Fatal(err)
	}
	fields = maps.Clone(fields)
	fields["SignatureVersion"], fields["Signature"] = version, base64.StdEncoding.EncodeToString(signature)
	body, err := json.Marshal(fields)
	if err != nil {
		t.Fatal(err)
	}
	return body
}

func notification() map[string]any {
	return map[string]any{
		"Type": "Notification", "MessageId": "165545c9-2a5c-472c-8df2-7ff2be2b3b1b", "TopicArn": topic,
		"Message": "{\"ticket\":\"CHG0031877\"}\nline 2", "Timestamp": "2026-11-23T10:00:00.000Z",
		"SigningCertURL":    "https://sns.eu-central-1.amazonaws.com/SimpleNotificationService-0123456789abcdef.pem",
		"UnsubscribeURL":    "https://sns.eu-central-1.amazonaws.com/?Action=Unsubscribe",
		"MessageAttributes": map[string]any{"kind": map[string]any{"Type": "String", "Value": "approved"}},
	}
}

// The order is AWS' own, written down a second time.
var (
	notificationOrder = []string{"Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"}
	confirmationOrder = []string{"Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"}
)

func TestSNS(t *testing.T) {
	a, stranger := newAmazon(t), newAmazon(t)
	k, err := newSNS(SNS{[]Key{{ID: "2025", Secret: stranger.pem, NotAfter: clock}, {ID: "2026", Secret: a.pem}}, []string{topic}})
	built(t, k, err)
	for name, c := range map[string]struct {
		version string
		change  func(map[string]any)
		after   func(string) string // of the signed body
		want    Reason
	}{
		"version 1":              {"1", nil, nil, ""},
		"version 2":              {"2", nil, nil, ""},
		"with a subject":         {"2", func(m map[string]any) { m["Subject"] = "approved" }, nil, ""},
		"from China":             {"2", func(m map[string]any) { m["SigningCertURL"] = "https://sns.cn-north-1.amazonaws.com.cn/x.pem" }, nil, ""},
		"another topic":          {"2", func(m map[string]any) { m["TopicArn"] = topic + "2" }, nil, BadTopic},
		"version relabelled":     {"2", nil, replace(`"SignatureVersion":"2"`, `"SignatureVersion":"1"`), BadSignature},
		"another version":        {"2", nil, replace(`"SignatureVersion":"2"`, `"SignatureVersion":"3"`), BadBody},
		"message changed":        {"2", nil, replace("CHG0031877", "CHG0031878"), BadSignature},
		"subject added":          {"2", nil, replace(`{"`, `{"Subject":"","`), BadSignature},
		"subject taken away":     {"2", func(m map[string]any) { m["Subject"] = "s" }, replace(`"Subject":"s",`, ``), BadSignature},
		"an unsigned field":      {"2", nil, replace(`{"`, `{"device":"phone-1","`), BadBody},
		"a confirmation's field": {"2", nil, replace(`{"`, `{"Token":"phone-1","`), BadBody},
		"a number":               {"2", nil, replace(`"2026-11-23T10:00:00.000Z"`, `2026`), BadBody},
		"two ids":                {"2", nil, replace(`{"`, `{"MessageId":"1","`), BadBody},
		"no message":             {"2", func(m map[string]any) { delete(m, "Message") }, nil, BadBody},
		"no id":                  {"2", func(m map[string]any) { delete(m, "MessageId") }, nil, BadBody},
		"no time":                {"2", func(m map[string]any) { delete(m, "Timestamp") }, nil, BadBody},
		"no signature":           {"2", nil, replace(`"Signature":"`, `"Signature":"?`), BadBody},
		"an unknown type":        {"2", func(m map[string]any) { m["Type"] = "Other" }, nil, BadBody},
		"id with a line break":   {"2", func(m map[string]any) { m["MessageId"] = "1\nSubject\ns" }, nil, BadBody},
		"subject with one":       {"2", func(m map[string]any) { m["Subject"] = "1\nTimestamp\ns" }, nil, BadBody},
		"confirmation without a token": {"2", func(m map[string]any) {
			m["Type"], m["SubscribeURL"] = "SubscriptionConfirmation", "https://sns.eu-central-1.amazonaws.com/"
		}, nil, BadBody},
	} {
		fields := notification()
		if c.change != nil {
			c.change(fields)
		}
		body := string(a.body(t, c.version, notificationOrder, fields))
		if c.after != nil {
			body = c.after(body)
		}
		d, got := k.verify(&Request{Body: []byte(body)}, clock)
		if got != c.want {
			t.Errorf("%s: got %q; want %q", name, got, c.want)
		}
		if got == "" && (d.ID != fields["MessageId"] || !d.SignsID || !d.SignsBody || d.SignsTime || d.Uses[0] != Use{"sns", "2026"}) {
			t.Errorf("%s: got %+v", name, d)
		}
	}
	old := stranger.body(t, "2", notificationOrder, notification())
	if d, got := k.verify(&Request{Body: old}, clock.Add(time.Second)); got != InactiveKey || len(d.Expired) != 1 {
		t.Errorf("a certificate that is replaced: got %q, expired %v", got, d.Expired)
	}
}

// What nothing signs is left out of what is vouched for.
func TestSNSVouchesForWhatIsSigned(t *testing.T) {
	a := newAmazon(t)
	k, err := newSNS(SNS{keysOf(a.pem), []string{topic}})
	built(t, k, err)
	fields := notification()
	fields["Subject"] = "<approved>"
	d, refusal := k.verify(&Request{Body: a.body(t, "2", notificationOrder, fields)}, clock)
	var got map[string]string
	if err := json.Unmarshal(d.Body, &got); refusal != "" || err != nil || len(got) != len(notificationOrder) {
		t.Fatalf("got %q, %s, %v", refusal, d.Body, err)
	}
	for _, name := range notificationOrder {
		if got[name] != fields[name] {
			t.Errorf("%s is %q, want %q", name, got[name], fields[name])
		}
	}
}

func replace(old, new string) func(string) string {
	return func(body string) string { return strings.Replace(body, old, new, 1) }
}

func TestSNSConfirmation(t *testing.T) {
	a := newAmazon(t)
	k, err := newSNS(SNS{keysOf(a.pem), []string{topic}})
	built(t, k, err)
	for _, kind := range []string{"SubscriptionConfirmation", "UnsubscribeConfirmation"} {
		fields := notification()
		delete(fields, "MessageAttributes")
		delete(fields, "UnsubscribeURL")
		fields["Type"], fields["Token"], fields["SubscribeURL"] = kind, "2336412f37", "https://sns.eu-central-1.amazonaws.com/?Action=ConfirmSubscription"
		if _, got := k.verify(&Request{Body: a.body(t, "2", confirmationOrder, fields)}, clock); got != "" {
			t.Errorf("%s: got %q", kind, got)
		}
	}
}

// Only Amazon's own addresses are those of its certificates.
func TestSNSCertificateURL(t *testing.T) {
	const name = "/SimpleNotificationService-0123456789abcdef.pem"
	for url, want := range map[string]bool{
		"https://sns.us-east-1.amazonaws.com" + name:              true,
		"https://sns.cn-north-1.amazonaws.com.cn" + name:          true,
		"http://sns.us-east-1.amazonaws.com" + name:               false,
		"HTTPS://sns.us-east-1.amazonaws.com" + name:              false,
		"https://sns.us-east-1.amazonaws.com.evil.example" + name: false,
		"https://sns.evil.example/sns.us-east-1.amazonaws.com":    false,
		"https://sns.a.b.amazonaws.com" + name:                    false,
		"https://sns.amazonaws.com" + name:                        false,
		"https://s3.us-east-1.amazonaws.com" + name:               false,
		"https://sns.us-east-1.amazonaws.com:444" + name:          false,
		"https://u@sns.us-east-1.amazonaws.com" + name:            false,
		"https://sns.us-east-1.amazonaws.com/a/b.pem":             false,
		"https://sns.us-east-1.amazonaws.com/x.pem?y":             false,
		"https://sns.us-east-1.amazonaws.com/x":                   false,
		"":                                                        false,
	} {
		if got := snsCertificate.MatchString(url); got != want {
			t.Errorf("%s: got %v", url, got)
		}
	}
}

func TestNewSNSRefuses(t *testing.T) {
	a := newAmazon(t)
	elliptic, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		want, secret string
		topics       []string
	}{
		{"keys[0].secret: is not one certificate", "s3cr3t", []string{topic}},
		{"keys[0].secret: is not one certificate", a.pem + a.pem, []string{topic}},
		{"keys[0].secret: is not one certificate", strings.ReplaceAll(a.pem, "CERTIFICATE", "PUBLIC KEY"), []string{topic}},
		{"keys[0].secret: is not a certificate", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", []string{topic}},
		{"keys[0].secret: is not the certificate of an RSA key", certificateOf(t, elliptic), []string{topic}},
		{"topics: there is none", a.pem, nil},
		{"topics[1]: \"changes\" is not", a.pem, []string{topic, "changes"}},
	} {
		if _, err := newSNS(SNS{keysOf(c.secret), c.topics}); err == nil || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("got %v; want %s", err, c.want)
		}
	}
}
