package verify

import (
	"strings"
	"testing"
	"time"
)

// What cannot be verified is refused at start, with the field's name first.
func TestNewFailsClosed(t *testing.T) {
	change := func(f func(*Scheme)) Scheme { s := StandardWebhooks(); f(&s); return s }
	for want, s := range map[string]Scheme{
		"header:":                change(func(s *Scheme) { s.Header = "" }),
		"header: \"Web hook\"":   change(func(s *Scheme) { s.Header = "Web hook" }),
		"id_header:":             change(func(s *Scheme) { s.IDHeader = "" }),
		"timestamp_header:":      change(func(s *Scheme) { s.TimestampHeader = "" }),
		"timestamp_prefix:":      change(func(s *Scheme) { s.TimestampPrefix = "t=" }),
		"algorithm:":             change(func(s *Scheme) { s.Algorithm = "md5" }),
		"encoding: \"\"":         change(func(s *Scheme) { s.Encoding = "" }),
		"encoding: \"base32\"":   change(func(s *Scheme) { s.Encoding = "base32" }),
		"timestamp_format:":      change(func(s *Scheme) { s.TimestampFormat = "rfc822" }),
		"tolerance: 29s":         change(func(s *Scheme) { s.Tolerance = 29 * time.Second }),
		"tolerance: 15m1s":       change(func(s *Scheme) { s.Tolerance = 901 * time.Second }),
		"tolerance: -1s":         change(func(s *Scheme) { s.Tolerance = -time.Second }),
		"secret_form: \"guess\"": change(func(s *Scheme) { s.SecretForm = "guess" }),
		"signed: \"\"":           change(func(s *Scheme) { s.Signed = "" }),
		"signed: \"{id}.{times":  change(func(s *Scheme) { s.Signed = "{id}.{timestamp}" }),
		"signed: \"{method}":     change(func(s *Scheme) { s.Signed = "{method}{id}.{timestamp}.{body}" }),
		"signed: \"}":            change(func(s *Scheme) { s.Signed = "{id}.{timestamp}.}{body}" }),
		"signed: \"{body}":       change(func(s *Scheme) { s.Signed = "{id}.{timestamp}.{body}{body}" }),
		"signed: holds a place":  change(func(s *Scheme) { s.Signed = "{id}.{id}.{timestamp}.{body}" }),
		"signed: lacks":          change(func(s *Scheme) { s.Signed = "{id}.{body}" }),
		"signed: {id} must":      change(func(s *Scheme) { s.Signed = "{timestamp}.{id}{body}" }),
		"signed: {timestamp} mu": change(func(s *Scheme) { s.Signed = "{timestamp}{id}.{body}" }),
		"signed: \":\" after":    change(func(s *Scheme) { s.Signed, s.TimestampFormat = "{id}.{timestamp}:{body}", "rfc3339" }),
		"signed: \"0\" after":    change(func(s *Scheme) { s.Signed = "{id}.{timestamp}0{body}" }),
		"delimiter:":             {Header: "S", Prefix: "v1=", TimestampPrefix: "t=", Encoding: "hex", Signed: "{timestamp}.{body}"},
		"prefix: \"v1,\" holds":  change(func(s *Scheme) { s.Delimiter = "," }),
		"prefix_once:":           {Header: "S", Prefix: "v1=", PrefixOnce: true, Delimiter: ",", TimestampPrefix: "t=", Encoding: "hex", Signed: "{timestamp}.{body}"},
		"secret_form: \"whsec\"": change(func(s *Scheme) { s.Algorithm = "ed25519" }),
		"secret_form: \"whpk\"":  change(func(s *Scheme) { s.SecretForm = "whpk" }),
		"prefix:":                {Header: "S", Delimiter: ",", TimestampPrefix: "t=", Encoding: "hex", Signed: "{timestamp}.{body}"},
	} {
		if _, err := newSignature(s, keysOf(secret)); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("got error %v; want one that starts with %s", err, want)
		}
	}
}

// No secret, no source; and no secret in a message.
func TestSecrets(t *testing.T) {
	for _, c := range []struct {
		form    string
		secrets []string
		want    string
	}{
		{"text", nil, "keys: there is none"},
		{"text", []string{""}, "keys[0].secret: is empty"},
		{"text", []string{"good", " \n"}, "keys[1].secret: is empty"},
		{"text", []string{"twice", "twice"}, "keys[1].secret: is listed twice"},
		{"whsec", []string{"whsec_"}, "keys[0].secret: is not of the form whsec"},
		{"whsec", []string{"whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4="}, "keys[0].secret: is not of the form whsec"},
		{"whsec", []string{"whsec_c2VjcmV0", "c2VjcmV0"}, "keys[1].secret: is listed twice"},
		{"whpk", []string{"whpk_c2VjcmV0"}, "keys[0].secret: is not of the form whpk"},
		{"base64", []string{"s3cr3t!"}, "keys[0].secret: is not of the form base64"},
		{"hex", []string{"s3cr3t!"}, "keys[0].secret: is not of the form hex"},
	} {
		s := ServiceNow()
		if s.SecretForm = c.form; c.form == "whpk" {
			s.Algorithm = "ed25519"
		}
		_, err := newSignature(s, keysOf(c.secrets...))
		if err == nil || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("%s %q: got %v, want %s", c.form, c.secrets, err, c.want)
		} else if strings.Contains(err.Error(), "s3cr3t") {
			t.Errorf("the error holds the secret: %v", err)
		}
	}
}

func TestDefaults(t *testing.T) {
	v := verifier(t, Scheme{Header: "X-Signature", Encoding: "hex", Signed: "{body}"}, "secret")
	want := Scheme{Header: "X-Signature", Encoding: "hex", Signed: "{body}",
		Algorithm: "sha256", TimestampFormat: "unix", SecretForm: "text", Tolerance: 300 * time.Second}
	if got := v.checks[0].(*signature).scheme; got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}
