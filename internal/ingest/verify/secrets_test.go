package verify

import (
	"crypto/ed25519"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"slices"
	"testing"
)

// The forms of a key are the same secret, wherever it stands.
func TestSecretsAreTheSame(t *testing.T) {
	const key, other = "a key of twenty-four byt", "a key of twenty-four BYT"
	in := func(form, secret string) Config {
		s := ServiceNow()
		s.SecretForm = form
		return Config{Signature: &Signature{s, keysOf(secret)}}
	}
	http := func(algorithm, secret string) Config {
		return Config{HTTPSignature: &HTTPSignature{Keys: []HTTPKey{{Key{ID: "k", Secret: secret}, algorithm}}}}
	}
	der := must(x509.MarshalPKIXPublicKey(ed25519.PublicKey(publicHalf)))
	text := string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
	v1a := Config{Signature: &Signature{standardWebhooksV1a(), keysOf("whpk_" + pair(publicHalf))}}
	for name, c := range map[string]struct {
		a, b Config
		want bool
	}{
		"text, hex":         {in("text", key), in("hex", hex.EncodeToString([]byte(key))), true},
		"base64, whsec":     {in("base64", pair(key)), in("whsec", "whsec_"+pair(key)), true},
		"whsec, whsec text": {in("whsec", "whsec_"+pair(key)), in("text", "whsec_"+pair(key)), true},
		"text, RFC 9421":    {in("text", key), http("hmac-sha256", pair(key)), true},
		"header, basic":     {Config{Header: &Header{Keys: keysOf(key)}}, Config{Basic: &Basic{Keys: keysOf(key)}}, true},
		"header, state":     {Config{Header: &Header{Keys: keysOf(key)}}, Config{ClientState: &ClientState{keysOf(key)}}, true},
		"header, whsec":     {Config{Header: &Header{Keys: keysOf(key)}}, in("whsec", pair(key)), true},
		"whpk, PEM":         {v1a, http("ed25519", text+"\n"), true},
		"PEM, base64":       {http("ed25519", text), http("ed25519", pair(publicHalf)), true},
		"others":            {in("text", key), in("hex", hex.EncodeToString([]byte(other))), false},
		"other PEM":         {http("ed25519", text), http("ed25519", pair(privateHalf)), false},
		"wrong forms":       {in("hex", "xy"), in("hex", "xz"), false},
	} {
		got := slices.ContainsFunc(c.a.Secrets()[0].Forms, func(f string) bool { return slices.Contains(c.b.Secrets()[0].Forms, f) })
		if got != c.want {
			t.Errorf("%s: the same: %t", name, got)
		}
	}
}

// Secrets say where they are; certificates and tokens are none.
func TestSecretsHavePlaces(t *testing.T) {
	c := Config{
		Signature: &Signature{ServiceNow(), keysOf("a", "b")}, HTTPSignature: &HTTPSignature{Keys: []HTTPKey{{}}},
		Header: &Header{Keys: keysOf("c")}, Basic: &Basic{Keys: keysOf("d")}, ClientState: &ClientState{keysOf("e")},
		SNS: &SNS{Keys: keysOf("f")}, Bearer: &Bearer{}, Certificate: &Certificate{},
	}
	var got []string
	for _, s := range c.Secrets() {
		got = append(got, s.Field)
	}
	want := []string{"signature.keys[0].secret", "signature.keys[1].secret", "http_signature.keys[0].secret",
		"header.keys[0].secret", "basic.keys[0].secret", "client_state.keys[0].secret"}
	if !slices.Equal(got, want) {
		t.Errorf("got %v", got)
	}
}
