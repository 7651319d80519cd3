package graph_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"changerelay/internal/graph"
)

// What cannot be used leaves the last certificate in force, and is told of when
// Entra refuses that one.
func TestCertificateRotation(t *testing.T) {
	k, real := keys(), time.Now()
	first, second := good(t, k.a), issue(t, k.b, real.Add(-time.Hour), real.Add(200*24*time.Hour))
	spent := issue(t, k.b, real.Add(-2*time.Hour), real.Add(-time.Hour))
	data, failure := join(keyPEM(t, k.a), certPEM(first)), error(nil)
	c := newCloud(t, false)
	ahead := time.Duration(0)
	g := c.client(t, func(conf *graph.Config) {
		conf.Now = func() time.Time { return time.Now().Add(ahead) }
		conf.Credential = graph.Credential{Certificate: &graph.Certificate{Read: func() ([]byte, error) { return data, failure }}}
	})
	for _, step := range []struct {
		name    string
		data    []byte
		err     error
		want    time.Time
		trouble bool
	}{
		{"the first", data, nil, first.NotAfter, false},
		{"unreadable", nil, errors.New("no such file"), first.NotAfter, true},
		{"half written", certPEM(second), nil, first.NotAfter, true},
		{"expired", join(keyPEM(t, k.b), certPEM(spent)), nil, first.NotAfter, true},
		{"renewed", join(keyPEM(t, k.b), certPEM(second)), nil, second.NotAfter, false},
	} {
		data, failure = step.data, step.err
		ahead += 2 * time.Hour // the token has ended
		if err := g.Warm(t.Context()); err != nil {
			t.Errorf("%s: %v", step.name, err)
		}
		if err := g.CredentialError(); (err != nil) != step.trouble {
			t.Errorf("%s: trouble is %v", step.name, err)
		}
		if !g.CredentialEnds().Equal(step.want) {
			t.Errorf("%s: the certificate in use ends %v, want %v", step.name, g.CredentialEnds(), step.want)
		}
	}
	if n := c.discoveries.Load(); n != 2 {
		t.Errorf("endpoints were looked up %d times, want once for each certificate", n)
	}
	c.entra = reply(401, `{"error":"invalid_client","error_description":"AADSTS700027"}`)
	data, ahead = certPEM(second), ahead+2*time.Hour
	if e := kind(t, g.Warm(t.Context()), graph.Denied); !strings.Contains(e.Error(), "not taken: it holds no private key") {
		t.Error(e)
	}
}

func TestUnchangedSecretKeepsTheClient(t *testing.T) {
	c, now := newCloud(t, false), newClock()
	g := c.client(t, func(conf *graph.Config) { conf.Now = now.Now })
	for range 3 {
		if err := g.Warm(t.Context()); err != nil {
			t.Fatal(err)
		}
		now.Advance(2 * time.Hour)
	}
	c.expect(t, 3, 0)
	if n := c.discoveries.Load(); n != 1 {
		t.Errorf("endpoints were looked up %d times, want once", n)
	}
	if !g.CredentialEnds().IsZero() {
		t.Error("nobody knows when a secret ends")
	}
}
