package metrics

// SetTenants replaces the configured tenants, as a reload of the configuration
// does. It treats series as SetSources does.
func (m *Metrics) SetTenants(names []string) {
	m.setting.Lock()
	defer m.setting.Unlock()
	m.DueDevices.close(newShape(label("tenant", names...)))
}
