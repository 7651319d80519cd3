package boot

import (
	"errors"
	"net/http"
	"reflect"
	"slices"

	"changerelay/internal/ingest/verify"
)

// A checker is what configures one check.
type checker interface {
	secrets() []Key
	// add puts the check into c, with the secrets as they were read. They are as
	// many as secrets, or none when only the rest is of interest.
	add(c *verify.Config, keys []verify.Key)
}

// A check is one of a source's, and where the file has it.
type check struct {
	section string // of the source
	list    string // of its secrets, below the source
	checker
}

// checks are those that the source has, in the order of verify.Config.
func (s Source) checks() []check {
	all := []check{
		{"signature", "secrets", s.signed()},
		{"http_signature", "http_signature.keys", s.HTTPSignature},
		{"sns", "sns.secrets", s.SNS},
		{"bearer", "bearer.jwks_file", s.Bearer},
		{"header", "header.secrets", s.Header},
		{"basic", "basic.secrets", s.Basic},
		{"certificate", "certificate", s.Certificate},
		{"client_state", "client_state.secrets", s.ClientState},
	}
	return slices.DeleteFunc(all, func(c check) bool { return reflect.ValueOf(c.checker).IsNil() })
}

// signed is the source's own scheme or its kind's usual one, and the secrets.
type signed struct {
	Parameters
	keys []Key
}

func (s Source) signed() *signed {
	scheme := s.Scheme()
	if scheme == (verify.Scheme{}) {
		return nil
	}
	return &signed{Parameters(scheme), s.Secrets}
}

func (s *signed) secrets() []Key      { return s.keys }
func (h *Header) secrets() []Key      { return h.Secrets }
func (b *Basic) secrets() []Key       { return b.Secrets }
func (s *SNS) secrets() []Key         { return s.Secrets }
func (s *ClientState) secrets() []Key { return s.Secrets }
func (*Bearer) secrets() []Key        { return nil }
func (*Certificate) secrets() []Key   { return nil }
func (h *HTTPSignature) secrets() []Key {
	list := make([]Key, len(h.Keys))
	for i, k := range h.Keys {
		list[i] = k.Key
	}
	return list
}

func (s *signed) add(c *verify.Config, keys []verify.Key) {
	c.Signature = &verify.Signature{Scheme: verify.Scheme(s.Parameters), Keys: keys}
}

func (h *Header) add(c *verify.Config, keys []verify.Key) {
	c.Header = &verify.Header{Name: h.Name, Prefix: h.Prefix, Keys: keys}
}

func (b *Basic) add(c *verify.Config, keys []verify.Key) {
	c.Basic = &verify.Basic{User: b.User, Keys: keys}
}

func (s *SNS) add(c *verify.Config, keys []verify.Key) {
	c.SNS = &verify.SNS{Topics: s.Topics, Keys: keys}
}

func (s *ClientState) add(c *verify.Config, keys []verify.Key) {
	c.ClientState = &verify.ClientState{Keys: keys}
}

func (t *Certificate) add(c *verify.Config, _ []verify.Key) {
	c.Certificate = &verify.Certificate{Subjects: t.Subjects, DNSNames: t.DNSNames}
}

func (b *Bearer) add(c *verify.Config, _ []verify.Key) {
	c.Bearer = &verify.Bearer{Issuer: b.Issuer, Audiences: b.Audiences, Tenant: b.Tenant, Clients: b.Clients, Roles: b.Roles,
		Algorithms: b.Algorithms, JWKSURL: b.JWKSURL, JWKS: b.jwks, Leeway: b.Leeway}
}

func (h *HTTPSignature) add(c *verify.Config, keys []verify.Key) {
	s := &verify.HTTPSignature{Components: h.Components, Tag: h.Tag, Tolerance: h.Tolerance}
	for i, k := range keys {
		s.Keys = append(s.Keys, verify.HTTPKey{Key: k, Algorithm: h.Keys[i].Algorithm})
	}
	c.HTTPSignature = s
}

// nowhere is the client of verifiers that are made only to see whether they can
// be: looking at a file asks nobody for keys.
var nowhere = &http.Client{Transport: refuse{}}

type refuse struct{}

func (refuse) RoundTrip(*http.Request) (*http.Response, error) {
	return nil, errors.New("no request is made while the configuration is read")
}
