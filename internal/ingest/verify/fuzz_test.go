package verify

import (
	"bytes"
	"encoding/base64"
	"net/http"
	"strings"
	"testing"

	"changerelay/internal/events"
)

// FuzzVerify gives the header parsers of every scheme a stranger's bytes. The
// secret is one that no vector has, so nothing may be accepted, and whatever
// was read stays within its bounds.
func FuzzVerify(f *testing.F) {
	var all []*signature
	for _, s := range presets {
		secret := base64.StdEncoding.EncodeToString([]byte(publicHalf))
		if s.Algorithm != ed25519Name {
			s.SecretForm = "text"
		}
		all = append(all, verifier(f, s, secret).checks[0].(*signature))
	}
	for _, c := range vectors(f) {
		if k, err := c.check(f); err == nil {
			if v, ok := k.(*signature); ok {
				h := c.header()
				f.Add(h.Get(v.scheme.Header), h.Get(v.scheme.IDHeader), h.Get(v.scheme.TimestampHeader), c.body(f), c.Now)
			}
		}
	}
	f.Fuzz(func(t *testing.T, signature, id, stamp string, body []byte, _ int64) {
		for _, v := range all {
			h := http.Header{}
			h.Set(v.scheme.Header, signature)
			if v.id {
				h.Set(v.scheme.IDHeader, id)
			}
			if v.scheme.TimestampHeader != "" {
				h.Set(v.scheme.TimestampHeader, stamp)
			}
			if d, refusal := v.verify(&Request{Header: h, Body: body}, clock); refusal == "" {
				t.Fatalf("%s accepted %+v", v.scheme.Header, d)
			}
			c, refusal := v.read(h)
			if refusal != "" {
				continue
			}
			if len(c.signatures) > MaxSignatures || len(c.id) > MaxID || v.stamp && c.time.IsZero() {
				t.Fatalf("%s read %+v", v.scheme.Header, c)
			}
		}
	})
}

// What is read as a name and a password is what net/http reads.
func FuzzBasic(f *testing.F) {
	for _, c := range vectors(f) {
		if h := c.header(); h.Get("Authorization") != "" {
			f.Add(h.Get("Authorization"))
		}
	}
	f.Add("basic YWxhZGRpbjpvcGVuOnNlc2FtZQ==")
	f.Add("Basic  YTpi")
	f.Add("Basic YTp=")
	f.Fuzz(func(t *testing.T, value string) {
		h := http.Header{"Authorization": {value}}
		pair, refusal := readBasic(h)
		if refusal != "" {
			return
		}
		name, password, ok := (&http.Request{Header: h}).BasicAuth()
		if !ok || name+":"+password != pair {
			t.Errorf("%q was read as %q, and by net/http as %q and %q", value, pair, name, password)
		}
	})
}

// A static secret is what stands after the prefix, whole.
func FuzzHeader(f *testing.F) {
	k, err := newHeader(Header{"Authorization", "Bearer ", keysOf(token)}, MinSecret)
	if err != nil {
		f.Fatal(err)
	}
	for _, value := range []string{"Bearer " + token, "bearer " + token, "Bearer", "Bearer ", "Basic " + token, "Bearer " + token + " "} {
		f.Add(value)
	}
	f.Fuzz(func(t *testing.T, value string) {
		_, refusal := k.verify(&Request{Header: http.Header{"Authorization": {value}}}, clock)
		prefix, rest, _ := strings.Cut(value, " ")
		if want := prefix == "Bearer" && rest == token; want != (refusal == "") {
			t.Errorf("%q: %q", value, refusal)
		}
	})
}

// A body is taken only if it is JSON that has the secret in it, and no list
// without one.
func FuzzClientState(f *testing.F) {
	k, err := newClientState(ClientState{keysOf("secretClientValue")}, MinSecret)
	if err != nil {
		f.Fatal(err)
	}
	for _, c := range vectors(f) {
		if c.Scheme == "graph-clientstate" {
			f.Add(c.body(f))
		}
	}
	for _, body := range clientStateBodies {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		d, refusal := k.verify(&Request{Body: body}, clock)
		if refusal != "" {
			return
		}
		if v, err := events.JSON(body, "body", maxNesting); err != nil || len(d.Uses) != 1 {
			t.Errorf("took %q, which is %v, %v, for %v", body, v, err, d.Uses)
		}
	})
}

// Whatever a stranger makes of Amazon's messages, it is taken only with the text
// that is signed.
func FuzzSNS(f *testing.F) {
	var k check
	signed := map[string]bool{}
	for _, c := range vectors(f) {
		if c.Scheme != "aws-sns" {
			continue
		}
		f.Add(c.body(f))
		var err error
		if k, err = c.check(f); err != nil {
			f.Fatal(err)
		}
		if _, refusal := k.verify(c.request(f), clock); refusal == "" || refusal == BadTopic {
			m, _ := readMessage(c.body(f))
			signed[m.text] = true
		}
	}
	if len(signed) == 0 {
		f.Fatal("no vector is signed")
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		m, refusal := readMessage(body)
		if refusal == "" && (len(m.fields["MessageId"]) > MaxID || !bytes.HasPrefix([]byte(m.text), []byte("Message\n"))) {
			t.Errorf("%q was read as %q", body, m.text)
		}
		if _, refusal := k.verify(&Request{Body: body}, clock); refusal == "" && !signed[m.text] {
			t.Errorf("took %q", body)
		}
	})
}
