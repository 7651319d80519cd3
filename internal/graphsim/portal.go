package graphsim

import (
	"slices"
	"strings"
	"time"
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
	c := &Call{Op: "portal", Tenant: k.tenant, Device: k.device, RequestID: newID(), Status: 204}
	c.ClientRequestID, c.Done = c.RequestID, now
	c.Items = edit(d.set().at(now, s.rules()).held())
	s.enter(c)
	s.install(c, d, now)
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

// Devices are the tenant's devices, sorted by id.
func (s *Sim) Devices(tenantID string) []Device {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []Device
	for k, d := range s.devices {
		if same(k.tenant, tenantID) && d.enrolled {
			def := d.Device
			def.Assigned = slices.Clone(def.Assigned)
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

// late is a set on its way whose caller has been told nothing. It does not survive a restart.
type late struct {
	due  time.Time
	call *Call
}

// postpone sends the call's set on its way. It is judged when it arrives.
func (s *Sim) postpone(x *exchange, by time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if x.call.Op == "post" && x.badSet == nil && x.mediaType() == nil {
		s.late = append(s.late, late{s.look().Add(by), x.call})
		slices.SortStableFunc(s.late, func(a, b late) int { return a.due.Compare(b.due) })
	}
}

// arriveLate applies what is due, as of when it was due. Everything that looks at the state comes
// through here first, so an older set can never be applied before a newer one by accident.
func (s *Sim) arriveLate(now time.Time) {
	for len(s.late) > 0 && !now.Before(s.late[0].due) {
		l := s.late[0]
		s.late = s.late[1:]
		_ = s.apply(l.call, l.due) // a refusal has nobody to go to; the journal says it was not applied
	}
}
