package verify

import (
	"crypto/ed25519"
	"encoding/pem"
	"fmt"
	"strings"
)

// A Secret is one that the relay and a sender share, or the public key of one
// that the sender alone has, so that secrets of several sources can be compared.
type Secret struct {
	Field string   // in Config, such as signature.keys[0].secret
	Forms []string // its text without the prefix that only names its kind, and its bytes; equal to any form of another, it is the same secret
}

// Secrets lists those of all checks. Certificates of SNS are Amazon's, and
// nobody's secret.
func (c Config) Secrets() (list []Secret) {
	if s := c.Signature; s != nil {
		list = append(list, secrets("signature", s.Keys, s.bytes)...)
	}
	if h := c.HTTPSignature; h != nil {
		list = append(list, secrets("http_signature", h.plain(), func(i int) string { return h.Keys[i].bytes() })...)
	}
	if c.Header != nil {
		list = append(list, secrets("header", c.Header.Keys, nil)...)
	}
	if c.Basic != nil {
		list = append(list, secrets("basic", c.Basic.Keys, nil)...)
	}
	if c.ClientState != nil {
		list = append(list, secrets("client_state", c.ClientState.Keys, nil)...)
	}
	return list
}

// secrets are those of one check; bytes is nil where these are the text.
func secrets(check string, keys []Key, bytes func(i int) string) (list []Secret) {
	for i, k := range keys {
		s := Secret{fmt.Sprintf("%s.keys[%d].secret", check, i), []string{bare(k.Secret)}}
		if bytes != nil {
			s.Forms = append(s.Forms, bytes(i))
		}
		list = append(list, s)
	}
	return list
}

// bare is a secret's text without the prefix of Standard Webhooks.
func bare(secret string) string {
	return strings.TrimPrefix(strings.TrimPrefix(strings.TrimSpace(secret), "whsec_"), "whpk_")
}

// bytes are those of key i, or its text if it has another form than configured.
func (s Signature) bytes(i int) string {
	key, err := decodeSecret(s.Scheme.withDefaults().SecretForm, s.Keys[i].Secret)
	if err != nil {
		return bare(s.Keys[i].Secret)
	}
	return string(key)
}

func (h HTTPSignature) plain() (keys []Key) {
	for _, k := range h.Keys {
		keys = append(keys, k.Key)
	}
	return keys
}

// bytes are those of the key: of one in PEM form what is inside, of Ed25519 the
// 32 bytes that other forms have.
func (k HTTPKey) bytes() string {
	text := strings.TrimSpace(k.Secret)
	if raw, err := strictBase64(text); err == nil {
		return string(raw)
	}
	if public, err := publicKey[ed25519.PublicKey](text); err == nil {
		return string(public)
	}
	if block, _ := pem.Decode([]byte(text)); block != nil {
		return string(block.Bytes)
	}
	return text
}
