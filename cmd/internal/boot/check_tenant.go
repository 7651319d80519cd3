package boot

import "strings"

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
