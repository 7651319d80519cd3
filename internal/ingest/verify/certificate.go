package verify

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"slices"
	"strings"
	"time"
)

// A certificate checks the names of the TLS client.
type certificate struct{ subjects, names []string }

func newCertificate(c Certificate) (check, error) {
	if len(c.Subjects)+len(c.DNSNames) == 0 {
		return nil, errors.New("subjects: there is none, nor any dns_names; and not every client is let in")
	}
	if slices.Contains(c.Subjects, "") {
		return nil, errors.New("subjects: one is empty; want such as CN=snow,O=Acme")
	}
	if slices.Contains(c.DNSNames, "") {
		return nil, errors.New("dns_names: one is empty; want such as snow.example.com")
	}
	return &certificate{c.Subjects, c.DNSNames}, nil
}

func (c *certificate) verify(r *Request, _ time.Time) (Delivery, Reason) {
	if r.Client == nil || !c.holds(r.Client) {
		return Delivery{}, BadCertificate
	}
	return Delivery{}, ""
}

func (c *certificate) holds(client *x509.Certificate) bool {
	if subject, ok := subjectOf(client); ok && slices.Contains(c.subjects, subject) {
		return true
	}
	return slices.ContainsFunc(client.DNSNames, func(name string) bool {
		return slices.ContainsFunc(c.names, func(want string) bool { return strings.EqualFold(name, want) })
	})
}

// subjectOf writes the whole subject, in its own order. pkix.Name would leave
// out all but the last of several common names, so that others than the one
// configured could have the same text.
func subjectOf(client *x509.Certificate) (string, bool) {
	var dn pkix.RDNSequence
	rest, err := asn1.Unmarshal(client.RawSubject, &dn)
	return dn.String(), err == nil && len(rest) == 0 && len(dn) > 0
}

func (c *certificate) about() about { return about{name: "certificate"} }
