package graphsim

import (
	"slices"
	"strings"
)

// The functions here are the hands of an admin and the passing of time: what happens to a tenant
// without a request. A tenant or device that does not exist is left alone.

// PortalRemove adds items to the device's removal set, as an admin in the portal does: it posts
// old ∪ new, outside of our app's quota.
func (s *Sim) PortalRemove(tenantID, device string, items ...Item) {
	s.portal(tenantID, device, func(old []Item) []Item {
		for _, it := range items {
			if !named(old, it.ID) {
				old = append(old, it)
			}
		}
		return old
	})
}

// PortalRestore takes items out of the removal set; with none named, all.
func (s *Sim) PortalRestore(tenantID, device string, ids ...string) {
	s.portal(tenantID, device, func(old []Item) []Item {
		return slices.DeleteFunc(old, func(it Item) bool {
			return len(ids) == 0 || slices.ContainsFunc(ids, func(id string) bool { return same(id, it.ID) })
		})
	})
}

func (s *Sim) portal(tenantID, id string, edit func([]Item) []Item) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now, k := s.look(), keyOf(tenantID, id)
	d := s.find(k)
	if d == nil {
		return
	}
	c := &Call{Op: "portal", Tenant: k.tenant, Device: k.device, RequestID: s.dice.id(), Status: 204}
	c.ClientRequestID, c.Done = c.RequestID, now
	items := edit(d.set().at(now, s.rules()).held())
	c.Items = items[:min(len(items), maxKeptItems)]
	s.enter(c)
	s.install(order{c, items}, d, now)
}

// Held is the removal set that Graph now holds for a device, sorted by id.
func (s *Sim) Held(tenantID, device string) []Item {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.look()
	if d := s.find(keyOf(tenantID, device)); d != nil {
		return d.set().at(now, s.rules()).held()
	}
	return nil
}

// Device is one device as it was enrolled, and whether it is offline now.
func (s *Sim) Device(tenantID, device string) (def Device, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	d := s.find(keyOf(tenantID, device))
	if d == nil {
		return def, false
	}
	def = d.Device
	def.Assigned, def.DetectedApps = slices.Clone(def.Assigned), slices.Clone(def.DetectedApps)
	return def, true
}

// Devices are the tenant's devices, sorted by id.
func (s *Sim) Devices(tenantID string) []Device {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []Device
	for k, d := range s.devices {
		if same(k.tenant, tenantID) && d.enrolled {
			def := d.Device
			def.Assigned, def.DetectedApps = slices.Clone(def.Assigned), slices.Clone(def.DetectedApps)
			out = append(out, def)
		}
	}
	slices.SortFunc(out, func(a, b Device) int { return strings.Compare(a.ID, b.ID) })
	return out
}

// SetOffline takes a device off the net, or brings it back: then its check-in begins.
func (s *Sim) SetOffline(tenantID, device string, offline bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.look()
	if d := s.find(keyOf(tenantID, device)); d != nil {
		s.reach(d, offline, now)
		s.save()
	}
}

// DeleteDevice removes a device: 404 from then on, until AddTenant enrols it anew.
func (s *Sim) DeleteDevice(tenantID, device string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.look()
	delete(s.devices, keyOf(tenantID, device))
	s.save()
}

// DeleteItem deletes an app or policy in Intune: every POST that lists it is refused, and nothing
// says why. Sets that hold it keep it.
func (s *Sim) DeleteItem(tenantID, item string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.look()
	if t := s.tenants[strings.ToLower(tenantID)]; t != nil {
		t.gone[strings.ToLower(item)] = true
	}
}
