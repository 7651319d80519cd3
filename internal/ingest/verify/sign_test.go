package verify

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"slices"
	"strings"
	"testing"
)

// A key of 32 bytes in each of the forms that a secret may have.
var signingKey = []byte("\x00\xffa key of thirty-two raw bytes!!")

var signingSecrets = map[string]string{
	"text":   "an ordinary passphrase: {id}.{timestamp}",
	"base64": base64.StdEncoding.EncodeToString(signingKey),
	"hex":    hex.EncodeToString(signingKey),
	"whsec":  "whsec_" + base64.StdEncoding.EncodeToString(signingKey),
}

// The key pair of RFC 8032, section 7.1, test 1.
const (
	privateHalf = "\x9d\x61\xb1\x9d\xef\xfd\x5a\x60\xba\x84\x4a\xf4\x92\xec\x2c\xc4\x44\x49\xc5\x69\x7b\x32\x69\x19\x70\x3b\xac\x03\x1c\xae\x7f\x60"
	publicHalf  = "\xd7\x5a\x98\x01\x82\xb1\x0a\xb7\xd5\x4b\xfe\xd3\xc9\x64\x07\x3a\x0e\xe1\x72\xf3\xda\xa6\x23\x25\xaf\x02\x1a\x68\xf7\x07\x51\x1a"
)

// Whatever parameters a scheme has, Verify takes what Sign makes of it, and
// takes it for this body only.
func TestSignedIsVerified(t *testing.T) {
	for name, s := range presets {
		if s.Algorithm == ed25519Name {
			continue
		}
		for algorithm := range algorithms {
			for encoding := range decodings {
				for form, secret := range signingSecrets {
					s.Algorithm, s.Encoding, s.SecretForm = algorithm, encoding, form
					t.Run(strings.Join([]string{name, algorithm, encoding, form}, " "), func(t *testing.T) {
						signedIsVerified(t, s, secret, secret)
					})
				}
			}
		}
	}
}

func TestSignedWithPrivateKeyIsVerified(t *testing.T) {
	s, _ := Preset("standard-webhooks-v1a")
	private := base64.StdEncoding.EncodeToString([]byte(privateHalf + publicHalf))
	public := base64.StdEncoding.EncodeToString([]byte(publicHalf))
	for _, encoding := range []string{"hex", "base64", "base64url"} {
		s.Encoding = encoding
		signedIsVerified(t, s, private, public)
		signedIsVerified(t, s, "whsk_"+private, "whpk_"+public)
	}
}

func signedIsVerified(t *testing.T, s Scheme, signs, verifies string) {
	t.Helper()
	body := []byte("{\"a\":\"\u00e9\"}\r\n")
	h, err := Sign(s, signs, "msg_1", clock, body)
	if err != nil {
		t.Fatal(err)
	}
	v := verifier(t, s, verifies)
	d, err := v.Verify(&Request{Header: h, Body: body}, clock)
	if err != nil || s.IDHeader != "" && d.ID != "msg_1" || d.SignsID != strings.Contains(s.Signed, "{id}") {
		t.Fatalf("%+v, %v", d, err)
	}
	if d.SignsTime && !d.Timestamp.Equal(clock) {
		t.Fatalf("signed at %v, want %v", d.Timestamp, clock)
	}
	if _, err := v.Verify(&Request{Header: h, Body: append(body, ' ')}, clock); err == nil {
		t.Fatal("another body is taken")
	}
}

// Every format of a time that a scheme may have is written, too.
func TestSignsEveryTimestampFormat(t *testing.T) {
	for format := range timestamps {
		s := Scheme{Header: "X-Signature", Encoding: "base64url", Signed: "{timestamp}|{body}", TimestampHeader: "X-Time", TimestampFormat: format}
		h, err := Sign(s, "secret", "", clock, nil)
		if err != nil {
			t.Fatal(err)
		}
		if d, err := verifier(t, s, "secret").Verify(&Request{Header: h}, clock); err != nil || !d.Timestamp.Equal(clock) {
			t.Errorf("%s: %+v, %v", format, d, err)
		}
	}
}

// The senders' own signatures come out, from the id and time of their requests.
func TestSignsAsSendersDo(t *testing.T) {
	compared := 0
	for _, c := range vectors(t) {
		k, err := c.check(t)
		v, ok := k.(*signature)
		if !ok || err != nil || !c.Valid || c.Policy == "accept-or-reject" || v.hash == nil {
			continue // no vector holds a private key
		}
		theirs, refusal := v.read(c.header())
		if refusal != "" {
			t.Fatalf("%s: %s", c.ID, refusal)
		}
		if v.stamp && stampings[v.scheme.TimestampFormat](theirs.time) != theirs.stamp {
			continue // the same moment in another spelling
		}
		secrets := c.secrets(t)
		h, err := Sign(c.scheme(), secrets[len(secrets)-1], theirs.id, theirs.time, c.body(t))
		if err != nil {
			t.Fatalf("%s: %v", c.ID, err)
		}
		ours, _ := v.read(h)
		if !slices.ContainsFunc(theirs.signatures, func(sig []byte) bool { return bytes.Equal(sig, ours.signatures[0]) }) {
			t.Errorf("%s: signed %v, want one of %v", c.ID, h, c.header())
		}
		compared++
	}
	if compared < 10 {
		t.Errorf("only %d vectors were compared", compared)
	}
}

// What nobody would accept is not signed, and no error holds the secret.
func TestSignRefuses(t *testing.T) {
	asymmetric, _ := Preset("standard-webhooks-v1a")
	standard, s3cr3t := StandardWebhooks(), "whsec_"+base64.StdEncoding.EncodeToString([]byte("s3cr3t"))
	for _, c := range []struct {
		name, secret, id, want string
		scheme                 Scheme
	}{
		{"no scheme", "s3cr3t", "msg_1", "header:", Scheme{}},
		{"secret of another form", "s3cr3t!", "msg_1", "keys[0].secret: is not of the form whsec", standard},
		{"no secret", "", "msg_1", "keys[0].secret: is empty", standard},
		{"public key", "whpk_" + base64.StdEncoding.EncodeToString([]byte(publicHalf)), "msg_1", "keys[0].secret: is not of the form whsk", asymmetric},
		{"halves of two pairs", base64.StdEncoding.EncodeToString([]byte(privateHalf + privateHalf)), "msg_1", "keys[0].secret: is not of the form whsk", asymmetric},
		{"no id", s3cr3t, "", string(MissingHeader), standard},
		{"id with the separator", s3cr3t, "msg.1", string(BadHeader), standard},
		{"id with a line break", s3cr3t, "msg\r\nX: 1", string(BadHeader), standard},
	} {
		h, err := Sign(c.scheme, c.secret, c.id, clock, []byte("{}"))
		if h != nil || err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, %v; want %s", c.name, h, err, c.want)
		} else if strings.Contains(err.Error(), "s3cr3t") {
			t.Errorf("%s: the error holds the secret: %v", c.name, err)
		}
	}
}
