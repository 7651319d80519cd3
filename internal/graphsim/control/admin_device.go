package control

import (
	"errors"
	"net/http"
	"slices"
	"strings"

	"changerelay/internal/graphsim"
)

func (a *admin) tenants(*http.Request) (any, *problem) {
	out := map[string]any{}
	for _, id := range a.sim.Tenants() {
		out[id] = map[string]any{"apps": a.sim.Apps(id), "token_requests": a.sim.TokenRequests(id)}
	}
	return out, nil
}

func (a *admin) devices(r *http.Request) (any, *problem) {
	return encode(a.sim.Devices(r.PathValue("tenant"))), nil
}

// at is the device of the path.
func (a *admin) at(r *http.Request) (tenant, id string, d graphsim.Device, bad *problem) {
	tenant, id = r.PathValue("tenant"), r.PathValue("device")
	d, ok := a.sim.Device(tenant, id)
	if !ok {
		return "", "", d, missing("this tenant has no such device")
	}
	return tenant, id, d, nil
}

// device is the truth about a device: what reads show may lag behind it.
func (a *admin) device(r *http.Request) (any, *problem) {
	tenant, id, d, bad := a.at(r)
	if bad != nil {
		return nil, bad
	}
	return map[string]any{"device": encode(d), "items": encode(a.sim.State(tenant, id))}, nil
}

func (a *admin) reach(r *http.Request) (any, *problem) {
	tenant, id, d, bad := a.at(r)
	if bad != nil {
		return nil, bad
	}
	in := struct{ Offline bool }{d.Offline}
	if _, bad := read(r, &in); bad != nil {
		return nil, bad
	}
	a.sim.SetOffline(tenant, id, in.Offline)
	return a.device(r)
}

func (a *admin) deleteDevice(r *http.Request) (any, *problem) {
	tenant, id, _, bad := a.at(r)
	if bad != nil {
		return nil, bad
	}
	a.sim.DeleteDevice(tenant, id)
	return done{true}, nil
}

func (a *admin) deleteItem(r *http.Request) (any, *problem) {
	if !slices.Contains(a.sim.Tenants(), strings.ToLower(r.PathValue("tenant"))) {
		return nil, missing("there is no such tenant")
	}
	a.sim.DeleteItem(r.PathValue("tenant"), r.PathValue("item"))
	return done{true}, nil
}

// portal is an admin's edit: items to remove, ids to restore, or all.
func (a *admin) portal(r *http.Request) (any, *problem) {
	tenant, id, _, bad := a.at(r)
	if bad != nil {
		return nil, bad
	}
	var in struct {
		Remove     []graphsim.Item
		Restore    []string
		RestoreAll bool
	}
	d, bad := read(r, &in)
	if bad != nil {
		return nil, bad
	}
	for i := range in.Remove {
		d.item("remove", &in.Remove[i])
	}
	switch {
	case d.err() != nil:
		return nil, wrong(d.err())
	case len(in.Remove)+len(in.Restore) == 0 && !in.RestoreAll:
		return nil, wrong(errors.New("give remove, restore or restore_all"))
	case in.RestoreAll:
		a.sim.PortalRestore(tenant, id)
	case len(in.Restore) > 0:
		a.sim.PortalRestore(tenant, id, in.Restore...)
	}
	if len(in.Remove) > 0 {
		a.sim.PortalRemove(tenant, id, in.Remove...)
	}
	return a.device(r)
}

func (a *admin) fate(r *http.Request) (any, *problem) {
	tenant, id, _, bad := a.at(r)
	if bad != nil {
		return nil, bad
	}
	var f graphsim.Fate
	if _, bad := read(r, &f); bad != nil {
		return nil, bad
	}
	a.sim.SetFate(tenant, id, r.PathValue("item"), f)
	return done{true}, nil
}

func (a *admin) clearFate(r *http.Request) (any, *problem) {
	tenant, id, _, bad := a.at(r)
	if bad != nil {
		return nil, bad
	}
	a.sim.ClearFate(tenant, id, r.PathValue("item"))
	return done{true}, nil
}

func (a *admin) challenge(r *http.Request) (any, *problem) {
	var in struct {
		App string
		graphsim.Challenge
	}
	if _, bad := read(r, &in); bad != nil {
		return nil, bad
	}
	if !a.sim.Revoke(r.PathValue("tenant"), in.App, in.Challenge) {
		return nil, missing("app: this tenant has no such app; give its client id")
	}
	return done{true}, nil
}

// secret replaces an app's, as an admin of Entra does.
func (a *admin) secret(r *http.Request) (any, *problem) {
	var in struct{ Secret string }
	if _, bad := read(r, &in); bad != nil {
		return nil, bad
	}
	if in.Secret == "" {
		return nil, wrong(errors.New("secret: must not be empty"))
	}
	if !a.sim.SetSecret(r.PathValue("tenant"), r.PathValue("app"), in.Secret) {
		return nil, missing("this tenant has no such app; give its client id")
	}
	return done{true}, nil
}

func (a *admin) approvals(r *http.Request) (any, *problem) {
	return encode(a.sim.Approvals(r.PathValue("tenant"))), nil
}

func (a *admin) decide(r *http.Request) (any, *problem) {
	decision := r.PathValue("decision")
	if decision != "approve" && decision != "reject" {
		return nil, missing("the path ends in approve or reject")
	}
	if err := a.sim.Decide(r.PathValue("tenant"), r.PathValue("code"), decision == "approve"); err != nil {
		return nil, conflict(err.Error())
	}
	return done{true}, nil
}
