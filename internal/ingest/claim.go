package ingest

import (
	"cmp"
	"fmt"
	"slices"

	"changerelay/internal/ingest/verify"
)

// A Clash is a credential that two sources have. What one of them signs, the
// other could be sent: a leaked secret would reach as far as both, and a
// captured delivery would count twice.
type Clash struct {
	Source, Other string // by name, in order
	Field         string // of Source.Checks, such as signature.keys[0].secret
	Why           string // this is a mistake, and the remedy
}

func (c Clash) Error() string { return fmt.Sprintf("source %q: %s: %s", c.Source, c.Field, c.Why) }

// Clashes finds the credentials that sources share: secrets, whatever the kinds
// and the forms, and for /v1/changes, whose URL names no source, the names too
// that an authority vouches for.
func Clashes(sources []Source) (list []Clash) {
	owners := map[string]string{}
	for _, c := range slices.SortedStableFunc(slices.Values(sources), func(a, b Source) int { return cmp.Compare(a.Name, b.Name) }) {
		for _, p := range c.proofs() {
			if other := p.claim(owners, c.Name); other != "" {
				list = append(list, Clash{c.Name, other, p.field, fmt.Sprintf("source %q has it too%s", other, p.remedy)})
			}
		}
	}
	return list
}

// A proof is something that only one source may have.
type proof struct {
	field, remedy string
	forms         []string // equal to any form of another, it is the same
}

// claim returns the name of another source that has it, or "".
func (p proof) claim(owners map[string]string, name string) (other string) {
	for _, f := range p.forms {
		if o, taken := owners[f]; taken && o != name {
			other = o
		} else {
			owners[f] = name
		}
	}
	return other
}

// proofs are the source's. Of a source of /v1/changes that has no secret, they
// are the clients that it lets in.
func (c Source) proofs() (list []proof) {
	for _, s := range c.Checks.Secrets() {
		forms := slices.DeleteFunc(s.Forms, func(f string) bool { return f == "" })
		list = append(list, proof{s.Field, "; give each its own", forms})
	}
	if len(list) == 0 && c.Kind == "cloudevents" {
		return clients(c.Checks)
	}
	return list
}

// clients are names that an authority vouches for.
func clients(c verify.Config) (list []proof) {
	add := func(field, authority string, names []string) {
		for _, n := range names {
			list = append(list, proof{field, ", and /v1/changes could not tell them apart", []string{authority + " " + n}})
		}
	}
	if c.Bearer != nil {
		add("bearer.clients", "bearer "+c.Bearer.Issuer, c.Bearer.Clients)
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
