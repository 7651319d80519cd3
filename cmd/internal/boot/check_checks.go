package boot

import (
	"reflect"
	"slices"
	"strings"

	"changerelay/internal/ingest/source"
	"changerelay/internal/ingest/verify"
)

// checkChecks asks the verifier about each of a source's checks. It is not given
// secrets here: they are read at the start, not when somebody looks at a file.
func (d *decoder) checkChecks(at string, s Source) {
	list := s.checks()
	signs := s.Scheme() != (verify.Scheme{})
	switch {
	case s.Signature != nil && len(s.Secrets) == 0:
		d.bad(at+".secrets", "is missing; signature is verified with them")
	case len(s.Secrets) > 0 && s.Signature == nil && !signs && slices.Contains(source.Kinds(), s.Kind):
		d.bad(at+".secrets", "kind %s signs nothing: put them under header, basic or bearer, or say under signature how its sender signs", s.Kind)
	case len(s.Secrets) == 0 && len(list) == 0:
		d.bad(at+".secrets", "is missing; a source without a secret or another check would be open to everybody")
	}
	if s.Signature != nil && s.Signature.Preset != "" && !slices.Contains(verify.Presets(), s.Signature.Preset) {
		d.oneOf(at+".signature.preset", s.Signature.Preset, verify.Presets())
		list = slices.DeleteFunc(list, func(c check) bool { return c.section == "signature" }) // what it lacks, the preset has
	}
	for _, c := range list {
		d.checkKeys(at+"."+c.list, c.secrets())
		d.verifier(at, c, nil)
	}
	d.checkHTTPKeys(at+".http_signature.keys", s.HTTPSignature)
	if b := s.Bearer; b != nil && (b.JWKSURL == "") == (b.JWKSFile == "") {
		d.bad(at+".bearer", "want jwks_url or jwks_file, one of them: the issuer's keys")
	}
}

// checkKeys judges what can be judged without the secrets themselves.
func (d *decoder) checkKeys(at string, keys []Key) {
	for i, k := range keys {
		item := entry(at, i)
		d.needSecret(item, k.Secret)
		if k.ID != "" && !keyIDPattern.MatchString(k.ID) {
			d.bad(item+".id", "want 1 to 128 of ASCII without spaces, quotes and backslashes")
		}
		if k.ID != "" && slices.IndexFunc(keys, func(o Key) bool { return o.ID == k.ID }) < i {
			d.bad(item+".id", "another secret of this check has it")
		}
		if !k.NotAfter.IsZero() && k.NotAfter.Before(k.NotBefore) {
			d.bad(item+".not_after", "is before not_before, so that the secret is never good")
		}
	}
}

// checkHTTPKeys judges what only keys of RFC 9421 have.
func (d *decoder) checkHTTPKeys(at string, h *HTTPSignature) {
	if h == nil {
		return
	}
	for i, k := range h.Keys {
		if k.ID == "" {
			d.bad(entry(at, i)+".id", "is missing; want the keyid that the sender gives")
		}
		d.oneOf(entry(at, i)+".algorithm", k.Algorithm, httpAlgorithms)
	}
}

// verifier notes what the verifier says of one check.
func (d *decoder) verifier(at string, c check, keys []verify.Key) {
	var v verify.Config
	c.add(&v, keys)
	if b := v.Bearer; b != nil {
		b.Client = nowhere
		if b.JWKSURL == "" && b.JWKS == nil { // they are in a file that is not read yet, or missing, which is said elsewhere
			b.JWKSURL = "https://issuer.invalid"
		}
	}
	made, err := verify.New(v)
	if err == nil {
		made.Close()
		return
	}
	for _, line := range each(err) {
		if path, reason := c.refusal(line); path != c.list || len(keys) == len(c.secrets()) {
			d.bad(at+"."+path, "%s", reason)
		}
	}
}

// refusal takes an error of the verifier apart: the path below the source of
// what it names, and the reason. The verifier calls all lists of secrets keys.
func (c check) refusal(line string) (path, reason string) {
	line = strings.TrimPrefix(strings.TrimPrefix(line, c.section+": "), c.section+".")
	field, reason, ok := cutField(line, reflect.TypeOf(c.checker).Elem(), "keys", "jwks")
	switch rest, isKeys := strings.CutPrefix(field, "keys"); {
	case !ok:
		return c.section, line
	case isKeys:
		return c.list + strings.TrimSuffix(rest, ".secret"), reason
	case field == "jwks":
		return c.section + ".jwks_file", reason
	}
	return c.section + "." + field, reason
}

// cutField finds the field that an error names, if it is one of t's or of more.
func cutField(line string, t reflect.Type, more ...string) (field, reason string, ok bool) {
	field, reason, _ = strings.Cut(line, ": ")
	name := field
	if i := strings.IndexAny(field, ".["); i >= 0 {
		name = field[:i]
	}
	_, names := keys(t)
	return field, reason, reason != "" && slices.Contains(append(names, more...), name)
}

// each is every error of those that were joined, a line each.
func each(err error) (lines []string) {
	if err == nil {
		return nil
	}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		for _, e := range joined.Unwrap() {
			lines = append(lines, each(e)...)
		}
		return lines
	}
	return []string{strings.ReplaceAll(err.Error(), "\n", " ")}
}
