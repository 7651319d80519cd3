package verify

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"maps"
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

// Whatever parameters a scheme has, Verify takes what Sign makes of it, and
// takes it for this body only.
func TestSignedIsVerified(t *testing.T) {
	shapes := maps.Clone(schemes)
	shapes["servicenow"] = ServiceNow()
	body := []byte("{\"a\":\"\u00e9\"}\r\n")
	for name, s := range shapes {
		for algorithm := range algorithms {
			for encoding := range decodings {
				for form := range signingSecrets {
					s.Algorithm, s.Encoding, s.SecretForm = algorithm, encoding, form
					secret := signingSecrets[form]
					h, err := Sign(s, secret, "msg_1", clock, body)
					if err != nil {
						t.Fatalf("%s %s %s %s: %v", name, algorithm, encoding, form, err)
					}
					v := verifier(t, s, secret)
					d, err := v.Verify(h, body, clock)
					if err != nil || v.id && d.ID != "msg_1" {
						t.Fatalf("%s %s %s %s: %+v, %v", name, algorithm, encoding, form, d, err)
					}
					if d.SignsTime && !d.Timestamp.Equal(clock) {
						t.Fatalf("%s: signed at %v, want %v", name, d.Timestamp, clock)
					}
					if _, err := v.Verify(h, append(body, ' '), clock); err == nil {
						t.Fatalf("%s: another body is taken", name)
					}
				}
			}
		}
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
		if d, err := verifier(t, s, "secret").Verify(h, nil, clock); err != nil || !d.Timestamp.Equal(clock) {
			t.Errorf("%s: %+v, %v", format, d, err)
		}
	}
}

// The senders' own signatures come out, from the id and time of their requests.
func TestSignsAsSendersDo(t *testing.T) {
	compared := 0
	for _, c := range vectors(t) {
		if !c.Valid || c.Policy == "accept-or-reject" {
			continue
		}
		v := verifier(t, c.scheme(), c.Secret...)
		theirs, refusal := v.read(c.header())
		if refusal != "" {
			t.Fatalf("%s: %s", c.ID, refusal)
		}
		if stampings[v.scheme.TimestampFormat](theirs.time) != theirs.stamp && v.stamp {
			continue // the same moment in another spelling
		}
		h, err := Sign(c.scheme(), c.Secret[len(c.Secret)-1], theirs.id, theirs.time, c.body(t))
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
	standard, s3cr3t := StandardWebhooks(), "whsec_"+base64.StdEncoding.EncodeToString([]byte("s3cr3t"))
	for _, c := range []struct {
		name, secret, id, want string
		scheme                 Scheme
	}{
		{"no scheme", "s3cr3t", "msg_1", "header:", Scheme{}},
		{"secret of another form", "s3cr3t!", "msg_1", "secrets[0]: is not of the form whsec", standard},
		{"no secret", "", "msg_1", "secrets[0]: is empty", standard},
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
