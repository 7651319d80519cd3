package graphsim

import (
	"slices"
	"strings"
	"time"
)

// Tenant is one Entra directory with one app in it.
type Tenant struct {
	ID, ClientID string
	ClientSecret string   // empty: only assertions are accepted
	Roles        []string // default: PrivilegedOperations.All and Read.All of managed devices
}

// Device is a managed device. An empty Platform is a supported one; Assigned limits the item ids
// that it accepts, empty = any.
type Device struct {
	ID, Name, Platform string
	Offline            bool
	Assigned           []string
}

// key names a device. Both are canonical lower case: they are GUIDs.
type key struct{ tenant, device string }

func keyOf(tenant, device string) key { return key{strings.ToLower(tenant), strings.ToLower(device)} }

type tenant struct {
	Tenant
	tokens int
	gone   map[string]bool // item ids deleted in Intune, lower case
}

// device is a device and the sets it had. One that only the state file knows is not enrolled.
type device struct {
	Device
	enrolled bool
	past     []version // oldest first, never empty
}

// version is the set from a time on.
type version struct {
	from time.Time
	set  set
}

func (d *device) set() set { return d.past[len(d.past)-1].set }

// put makes v the present set, and forgets those that no read will show again.
func (d *device) put(v set, now time.Time, lag time.Duration) {
	d.past = append(d.past, version{now, v})
	for len(d.past) > keptVersions && !d.past[1].from.After(now.Add(-lag)) {
		d.past = slices.Delete(d.past, 0, 1)
	}
}

// shown is what a read shows: the set as it was lag ago.
func (d *device) shown(now time.Time, lag time.Duration, r rules) set {
	now = now.Add(-lag)
	i := len(d.past) - 1
	for i > 0 && d.past[i].from.After(now) {
		i--
	}
	return d.past[i].set.at(now, r)
}

// AddTenant adds a tenant, or changes its app, and enrols devices. A device that is already there
// keeps its set.
func (s *Sim) AddTenant(t Tenant, ds ...Device) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.look()
	if len(t.Roles) == 0 {
		t.Roles = []string{rolePost, roleRead}
	}
	t.Roles = slices.Clone(t.Roles)
	id := strings.ToLower(t.ID)
	if old := s.tenants[id]; old != nil {
		old.Tenant = t
	} else {
		s.tenants[id] = &tenant{Tenant: t, gone: map[string]bool{}}
	}
	for _, def := range ds {
		def.Assigned = slices.Clone(def.Assigned)
		k := keyOf(t.ID, def.ID)
		d := s.devices[k]
		if d == nil {
			d = &device{past: []version{{set: set{Offline: def.Offline}}}}
			s.devices[k] = d
		}
		d.Device, d.enrolled = def, true
		s.reach(d, def.Offline, now)
	}
	s.save()
}

// reach switches a device on- or offline. The caller holds mu.
func (s *Sim) reach(d *device, offline bool, now time.Time) {
	v := d.set().at(now, s.rules())
	if d.Offline = offline; v.Offline != offline {
		v.Offline, v.Since = offline, now
		d.put(v, now, s.knobs.ShowLag)
	}
}

// find is the enrolled device or nil. The caller holds mu.
func (s *Sim) find(k key) *device {
	if d := s.devices[k]; d != nil && d.enrolled {
		return d
	}
	return nil
}
