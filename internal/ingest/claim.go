package ingest

import (
	"fmt"
	"strings"

	"changerelay/internal/ingest/verify"
)

// claims are the secrets of the sources of /v1/changes, to the names of these.
// Two that share one cannot be told apart: who signed with it would be anybody's
// guess.
type claims map[string]string

// claim refuses a source whose secret another one has. Sources that have no
// secret of their own are told apart by the clients that they let in.
func (s claims) claim(c Source) error {
	own := shared(c.Checks)
	if len(own) == 0 {
		own = clients(c.Checks)
	}
	for _, o := range own {
		if other, taken := s[o.value]; taken && other != c.Name {
			return fmt.Errorf("%s: source %q has it too, and /v1/changes could not tell them apart", o.field, other)
		}
		s[o.value] = c.Name
	}
	return nil
}

// A credential is something that only one sender has.
type credential struct{ field, value string }

// shared are the secrets that the relay and a sender share, and the public keys
// of those that the sender alone has.
func shared(c verify.Config) (list []credential) {
	add := func(check string, keys []verify.Key) {
		for _, k := range keys {
			list = append(list, credential{check + ".keys." + k.ID, strings.TrimPrefix(k.Secret, "whsec_")})
		}
	}
	if c.Signature != nil {
		add("signature", c.Signature.Keys)
	}
	if c.HTTPSignature != nil {
		for _, k := range c.HTTPSignature.Keys {
			add("http_signature", []verify.Key{k.Key})
		}
	}
	if c.Header != nil {
		add("header", c.Header.Keys)
	}
	if c.Basic != nil {
		add("basic", c.Basic.Keys)
	}
	if c.ClientState != nil {
		add("client_state", c.ClientState.Keys)
	}
	return list
}

// clients are names that an authority vouches for.
func clients(c verify.Config) (list []credential) {
	add := func(field, authority string, names []string) {
		for _, n := range names {
			list = append(list, credential{field, authority + " " + n})
		}
	}
	if c.Bearer != nil {
		add("bearer.clients", c.Bearer.Issuer, c.Bearer.Clients)
	}
	if c.SNS != nil {
		add("sns.topics", "sns", c.SNS.Topics)
	}
	if c.Certificate != nil {
		add("certificate.subjects", "subject", c.Certificate.Subjects)
		add("certificate.dns_names", "dns", c.Certificate.DNSNames)
	}
	return list
}
