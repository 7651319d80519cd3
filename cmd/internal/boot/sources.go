package boot

import (
	"fmt"
	"maps"
	"strings"

	"changerelay/internal/ingest"
	"changerelay/internal/ingest/verify"
)

// IngestSources reads the secrets of every source. What is wrong with them comes
// back as Mistakes, at the places that name them.
func (c *Config) IngestSources() ([]ingest.Source, error) {
	return c.ingestSources(sorted(c.Sources)...)
}

// IngestSource is IngestSources for one of them; the secrets of others are not
// read.
func (c *Config) IngestSource(name string) (ingest.Source, error) {
	if _, ok := c.Sources[name]; !ok {
		return ingest.Source{}, fmt.Errorf("%q is not a source in the configuration; it has %v", name, sorted(c.Sources))
	}
	list, err := c.ingestSources(name)
	if err != nil {
		return ingest.Source{}, err
	}
	return list[0], nil
}

func (c *Config) ingestSources(names ...string) (list []ingest.Source, err error) {
	d := c.reporter()
	list = d.ingestSources(c, names)
	if len(d.mistakes) > 0 {
		return nil, d.mistakes.sorted()
	}
	return list, nil
}

// ingestSources looks for what sources share once the secrets of each are good.
func (d *decoder) ingestSources(c *Config, names []string) (list []ingest.Source) {
	known := len(d.mistakes)
	for _, name := range names {
		list = append(list, d.ingestSource(name, c.Sources[name]))
	}
	if len(d.mistakes) > known {
		return list
	}
	for _, clash := range ingest.Clashes(list) {
		d.clash(c.Sources[clash.Source], clash)
	}
	return list
}

// clash notes that another source has a credential too.
func (d *decoder) clash(s Source, c ingest.Clash) {
	for _, check := range s.checks() {
		if strings.HasPrefix(c.Field, check.section+".") {
			path, reason := check.refusal(c.Field + ": " + c.Why)
			d.bad("sources."+c.Source+"."+path, "%s", reason)
		}
	}
}

// reporter notes mistakes that show after the file was read.
func (c *Config) reporter() *decoder {
	d := newDecoder(c.from.file)
	maps.Copy(d.at, c.from.at)
	return d
}

func (d *decoder) ingestSource(name string, s Source) ingest.Source {
	o := ingest.Source{
		Name: name, Kind: s.Kind,
		Tenants: s.Tenants, AllowFrom: s.AllowFrom,
		Rate: ingest.Rate(s.Rate), MaxBody: s.MaxBody, Gzip: s.Gzip,
		Fields: s.Fields, Approved: s.Approved, Map: s.Map,
	}
	words(&o.Intents, s.Intents)
	words(&o.ItemTypes, s.ItemTypes)
	if s.Handshake != nil {
		o.Handshake = ingest.Handshake(*s.Handshake)
	}
	for _, c := range s.checks() {
		d.open(&o.Checks, "sources."+name, c)
	}
	return o
}

// files are those that the source's secrets are in.
func (s Source) files() (list []string) {
	for _, c := range s.checks() {
		for _, k := range c.secrets() {
			list = append(list, k.File)
		}
	}
	if s.Bearer != nil {
		list = append(list, s.Bearer.JWKSFile)
	}
	return list
}

// words gives words the type that another package has for them.
func words[T ~string](to *[]T, from []string) {
	for _, w := range from {
		*to = append(*to, T(w))
	}
}

// open reads the secrets of a check and puts it into v. The verifier judges them
// here, where their places are known.
func (d *decoder) open(v *verify.Config, at string, c check) {
	known := len(d.mistakes)
	if b, ok := c.checker.(*Bearer); ok {
		c.checker = d.readJWKS(at, *b)
	}
	keys := d.readKeys(at+"."+c.list, c.secrets())
	if len(d.mistakes) == known {
		d.verifier(at, c, keys)
	}
	c.add(v, keys)
}

func (d *decoder) readKeys(at string, list []Key) []verify.Key {
	keys := make([]verify.Key, len(list))
	for i, k := range list {
		value, err := k.read()
		if err != nil {
			d.bad(entry(at, i), "%v", err)
		}
		keys[i] = verify.Key{ID: k.ID, Secret: value, NotBefore: k.NotBefore, NotAfter: k.NotAfter}
	}
	return keys
}

// readJWKS is b with the keys of its file.
func (d *decoder) readJWKS(at string, b Bearer) *Bearer {
	if b.JWKSFile == "" {
		return &b
	}
	keys, err := readFile(b.JWKSFile, maxCertificates)
	if err != nil {
		d.bad(at+".bearer.jwks_file", "%v", err)
	}
	b.jwks = keys
	return &b
}
