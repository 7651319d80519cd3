package graphsim

import (
	"slices"
	"strings"
	"time"
)

// Tenant is one Entra directory with one app in it; AddApp adds more.
type Tenant struct {
	ID, ClientID string
	ClientSecret string   // empty: only assertions are accepted
	Roles        []string // default: PrivilegedOperations.All and Read.All of managed devices
}

// Device is a managed device. An empty Platform is a supported one.
type Device struct {
	ID, Name, Platform string
	Ownership          string // "company" (default), "personal", "unknown"
	Serial, UserID     string
	DetectedApps       []string // ids, for the route through an app
	Offline            bool
	Assigned           []string // the only item ids that it accepts; empty = any
}

// key names a device. Both are canonical lower case: they are GUIDs.
type key struct{ tenant, device string }

func keyOf(tenant, device string) key { return key{strings.ToLower(tenant), strings.ToLower(device)} }

// tenant is a directory. Every key of its maps is lower case.
type tenant struct {
	ID        string
	own       string // the client id that AddTenant named
	apps      map[string]*app
	tokens    int
	gone      map[string]bool     // item ids deleted in Intune
	scripts   map[string]bool     // family/script
	runs      map[string]RunState // family/script/state
	approvals []*approval         // oldest first
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
	for len(d.past) > keptVersions && (len(d.past) > maxVersions || !d.past[1].from.After(now.Add(-lag))) {
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
	dir := s.directory(t.ID)
	if own := strings.ToLower(t.ClientID); dir.own != own {
		delete(dir.apps, dir.own)
		dir.own = own
	}
	dir.register(App{ClientID: t.ClientID, ClientSecret: t.ClientSecret, Roles: t.Roles})
	for _, def := range ds {
		def.Assigned, def.DetectedApps = slices.Clone(def.Assigned), slices.Clone(def.DetectedApps)
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

// directory is the tenant, made if need be. The caller holds mu.
func (s *Sim) directory(id string) *tenant {
	id = strings.ToLower(id)
	t := s.tenants[id]
	if t == nil {
		t = &tenant{ID: id, apps: map[string]*app{}, gone: map[string]bool{}, scripts: map[string]bool{}, runs: map[string]RunState{}}
		s.tenants[id] = t
	}
	return t
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
