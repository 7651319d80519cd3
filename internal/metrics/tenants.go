package metrics

// SetTenants replaces the configured tenants, as a reload of the configuration
// does. It treats series as SetSources does. A new tenant's credential counts as
// usable until somebody knows better.
func (m *Metrics) SetTenants(names []string) {
	m.setting.Lock()
	defer m.setting.Unlock()
	tenant, class := label("tenant", names...), label("class", classes...)
	for _, g := range []*Gauges{m.QuotaRate, m.QuotaLimit, m.QuotaPausedUntil} {
		g.close(newShape(tenant, class))
	}
	m.QuotaCalls.close(newShape(tenant, class))
	m.CredentialExpiry.close(newShape(tenant))
	m.CredentialUsable.close(newShape(tenant))
	m.PausedSince.close(newShape(tenant, label("reason", PauseReasons...)))
	m.DueDevices.close(newShape(tenant, label("state", Runnable, Waiting)))
	known := map[string]bool{}
	for _, name := range names {
		if known[name] = true; !m.tenants[name] {
			m.CredentialUsable.Set(1, name)
		}
	}
	m.tenants = known
}
