package boot

import (
	"fmt"
	"net/url"
	"reflect"
	"slices"
	"strings"

	"changerelay/internal/ingest/source"
	"changerelay/internal/ingest/verify"
)

// checkTenant also makes the ids lower case, because the quota's cell is named
// after them: two spellings would be two quotas.
func (d *decoder) checkTenant(name string, t *Tenant) {
	at := "tenants." + name
	d.name(at, name)
	if !guidPattern.MatchString(t.TenantID) && !domainPattern.MatchString(t.TenantID) {
		d.bad(at+".tenant_id", "want the Entra tenant's GUID, or one of its domains")
	}
	if !guidPattern.MatchString(t.ClientID) {
		d.bad(at+".client_id", "want the GUID of the app registration")
	}
	t.TenantID, t.ClientID = strings.ToLower(t.TenantID), strings.ToLower(t.ClientID)
	d.needSecret(at+".client_secret", t.ClientSecret)
	d.oneOf(at+".cloud", t.Cloud, clouds)
	if t.Cloud == "custom" {
		d.endpoint(at+".graph_url", t.GraphURL)
		d.endpoint(at+".authority_url", t.AuthorityURL)
		return
	}
	for key, value := range map[string]string{"graph_url": t.GraphURL, "authority_url": t.AuthorityURL, "ca_file": t.CAFile} {
		if value != "" {
			d.bad(at+"."+key, "is for cloud: custom only; the other clouds have their own")
		}
	}
}

func (d *decoder) name(path, name string) {
	if !namePattern.MatchString(name) {
		d.bad(path, "want a name of a-z, 0-9 and -, at most 63 characters, not beginning with -")
	}
}

func (d *decoder) endpoint(path, value string) {
	u, err := url.Parse(value)
	if err != nil || u.Scheme != "https" || !isRoot(u, value) {
		d.bad(path, "want an https:// URL without a slash at its end; cloud: custom needs it")
	}
}

// isRoot reports whether a URL is one that paths can be put behind.
func isRoot(u *url.URL, value string) bool {
	return u.Host != "" && u.User == nil && !strings.ContainsAny(value, "?#") && !strings.HasSuffix(value, "/")
}

func (d *decoder) secret(path string, s Secret) {
	switch {
	case s.File != "" && s.Env != "":
		d.bad(path, "want file or env, not both")
	case s.Env != "" && !envPattern.MatchString(s.Env):
		d.bad(path+".env", "want the name of an environment variable, not its value")
	}
}

func (d *decoder) needSecret(path string, s Secret) {
	if s.IsZero() {
		d.bad(path, "is missing; give file or env")
	}
	d.secret(path, s)
}

func (d *decoder) checkSource(name string, s Source, tenants map[string]Tenant) {
	at := "sources." + name
	d.name(at, name)
	d.oneOf(at+".kind", s.Kind, source.Kinds())
	d.checkScope(at+".tenants", s, tenants)
	if len(s.Secrets) == 0 {
		d.bad(at+".secrets", "is missing; a source without a secret would be open to everybody")
	}
	for i, secret := range s.Secrets {
		d.needSecret(fmt.Sprintf("%s.secrets[%d]", at, i), secret)
	}
	if s.Kind != "servicenow" && s.Fields != (Fields{}) {
		d.bad(at+".fields", "is for kind: servicenow only")
	}
	if s.Signature != nil {
		d.checkSignature(at+".signature", *s.Signature)
	}
}

// checkScope keeps a leaked secret from reaching further than one source's
// tenants.
func (d *decoder) checkScope(path string, s Source, tenants map[string]Tenant) {
	switch {
	case len(s.Tenants) == 0:
		d.bad(path, "is missing; list the tenants that this source may change")
	case s.Kind == "servicenow" && (len(s.Tenants) > 1 || s.Tenants[0] == "*"):
		d.bad(path, "want exactly one: the records of a servicenow source name none")
		return
	case len(s.Tenants) == 1 && s.Tenants[0] == "*":
		return
	}
	for i, name := range s.Tenants {
		item := fmt.Sprintf("%s[%d]", path, i)
		if _, ok := tenants[name]; !ok {
			d.bad(item, "there is no tenants.%s in this file", name)
		}
		if slices.Index(s.Tenants, name) < i {
			d.bad(item, "is listed twice")
		}
	}
}

// checkSignature asks the verifier, which is the one home of what a scheme may
// be, and finds the places in this file of the fields that it names.
func (d *decoder) checkSignature(at string, s Signature) {
	_, err := verify.New(verify.Scheme(s), nil)
	if err == nil {
		return
	}
	index, _ := keys(reflect.TypeFor[Signature]())
	for line := range strings.SplitSeq(err.Error(), "\n") {
		key, reason, _ := strings.Cut(line, ": ")
		if _, ok := index[key]; ok {
			d.bad(at+"."+key, "%s", reason)
		} else if key != "secrets" { // they are not read yet, and that is all it has to say of a good scheme
			d.bad(at, "%s", line)
		}
	}
}
