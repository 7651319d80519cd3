package boot

import (
	"maps"
	"slices"
	"strings"
)

// checkTenant also makes the ids lower case, because the quota's cell is named
// after them: two spellings would be two quotas.
func (d *decoder) checkTenant(name string, t *Tenant) {
	at := "tenants." + name
	d.name(at, name)
	if !guidPattern.MatchString(t.TenantID) && !domainPattern.MatchString(t.TenantID) {
		d.bad(at+".tenant_id", "want the Entra tenant's GUID, or one of its domains")
	}
	d.checkClient(at, t)
	d.checkCredential(at, t)
	t.TenantID, t.ClientID = strings.ToLower(t.TenantID), strings.ToLower(t.ClientID)
	d.checkQuota(at+".quota", t.Quota)
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

// checkQuota allows more than Graph documents, for its limits may change, but not
// what cannot be meant.
func (d *decoder) checkQuota(at string, q Quota) {
	for key, rate := range map[string]float64{"writes_per_second": q.WritesPerSecond, "reads_per_second": q.ReadsPerSecond} {
		if !(rate >= 0.01 && rate <= 1000) {
			d.bad(at+"."+key, "want 0.01 to 1000; Graph allows an application 10 writes and 100 requests a second in a tenant")
		}
	}
	d.within(at+".write_burst", q.WriteBurst, 1, 1000)
	d.within(at+".read_burst", q.ReadBurst, 1, 1000)
}

// checkQuotas finds tenants that have one quota, because they are one application
// in one Entra tenant, and say different things of it.
func (d *decoder) checkQuotas(tenants map[string]Tenant) {
	first := map[[2]string]string{}
	for _, name := range slices.Sorted(maps.Keys(tenants)) {
		t := tenants[name]
		key := [2]string{t.TenantID, t.Application()}
		other, shared := first[key]
		switch {
		case !shared:
			first[key] = name
		case t.Quota != tenants[other].Quota:
			d.bad("tenants."+name+".quota", "tenants.%s has the same tenant_id and application, and so the same quota; give both the same values", other)
		}
	}
}

// checkClient knows that a managed identity has no app registration.
func (d *decoder) checkClient(at string, t *Tenant) {
	m := t.ManagedIdentity
	switch {
	case m == nil && !guidPattern.MatchString(t.ClientID):
		d.bad(at+".client_id", "want the GUID of the app registration")
	case m != nil && t.ClientID != "":
		d.bad(at+".client_id", "is of an app registration; that of a user-assigned identity is managed_identity.client_id")
	}
	if m != nil && m.ClientID != "" && !guidPattern.MatchString(m.ClientID) {
		d.bad(at+".managed_identity.client_id", "want the identity's client id, a GUID; leave it out for the system-assigned identity")
	}
	if m != nil && t.CAE {
		d.bad(at+".cae", "is not for managed identities: Entra does not evaluate them continuously")
	}
}

func (d *decoder) checkCredential(at string, t *Tenant) {
	given := 0
	for _, has := range []bool{!t.ClientSecret.IsZero(), t.Certificate != nil, t.FederatedToken != nil, t.ManagedIdentity != nil} {
		if has {
			given++
		}
	}
	if given != 1 {
		d.bad(at, "want exactly one of client_secret, certificate, federated_token and managed_identity")
	}
	d.secret(at+".client_secret", t.ClientSecret)
	if c := t.Certificate; c != nil {
		if c.File == "" {
			d.bad(at+".certificate.file", "is missing; give the file with the certificate and its key")
		}
		d.secret(at+".certificate.password", c.Password)
	}
}
