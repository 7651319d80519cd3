package worker

import (
	"testing"
	"time"

	"changerelay/internal/events"
	"changerelay/internal/graphsim"
)

// switched turns a knob before the first ticket.
func switched(name string, f func(*graphsim.Knobs)) how {
	return how{name: name, knobs: f, sim: func(_ *trial, k *graphsim.Knobs) { f(k) }}
}

// later turns a knob after the first ticket, and back before the third.
func later(name string, f func(*graphsim.Knobs)) how {
	return how{name: name, knobs: f, turn: func(_ *testing.T, x *trial) { x.knob(f) }, heal: (*trial).reset}
}

// and does something more after the first ticket.
func (h how) and(f func(*trial)) how {
	first := h.turn
	h.turn = func(t *testing.T, x *trial) {
		if first != nil {
			first(t, x)
		}
		f(x)
	}
	return h
}

// switchRows are what differs between tenants, or happens in them.
func switchRows() []row {
	lost := graphsim.Fault{Op: "post", Point: graphsim.AfterApply, Reset: true}
	fail := func(f graphsim.Fault) func(*trial) {
		return func(x *trial) { x.sim.Fail(f) }
	}
	gone := func(form string) how {
		return later("GoneForm "+form, func(k *graphsim.Knobs) { k.GoneForm = form }).and(func(x *trial) { x.sim.DeleteDevice(x.entra, x.device) })
	}
	ended := no
	ended.held, ended.believed, ended.third, ended.last = "", "A", events.Refused, ""
	return []row{
		{"the tenant's policy asks for a second admin's approval", "post", before, "approval_required", "ends the events of the call", ask, 1, 1, nil, []how{
			later("Approval documented", func(k *graphsim.Knobs) { k.Approval = "documented" }),
			later("Approval field", func(k *graphsim.Knobs) { k.Approval = "field" }),
			later("JustificationStatus 400", func(k *graphsim.Knobs) { k.Approval, k.JustificationStatus = "field", 400 }),
			later("JustificationStatus 403", func(k *graphsim.Knobs) { k.Approval, k.JustificationStatus = "documented", 403 }),
		}},
		{"the device is deleted, or enrolled again under a new id", "get", before, "gone", "ends every event of the device", ended, 0, 1, nil,
			[]how{gone("ResourceNotFound"), gone("NotFound"), gone("Gone")}},
		{"the same, between read and call", "post", before, "gone", "ends every event of the device", ended, 1, 1, nil, []how{
			{name: "DeleteDevice", turn: func(_ *testing.T, x *trial) {
				x.sim.Fail(graphsim.Fault{Op: "get", Point: graphsim.AfterApply, Hook: func() { x.sim.DeleteDevice(x.entra, x.device) }})
			}},
		}},
		{"the app that the event names is deleted in Intune, or has no place in Graph's 30 items", "post", before,
			"refused", "finds out who is to blame: tells what Graph holds without the event", no, 2, 1, nil, []how{
				{name: "DeleteItem", turn: func(_ *testing.T, x *trial) { x.sim.DeleteItem(x.entra, app(2).ID) }},
				later("ItemCap, InnerError innerError", func(k *graphsim.Knobs) { k.ItemCap, k.InnerError = 1, "innerError" }),
				later("ItemCap, InnerError innererror", func(k *graphsim.Knobs) { k.ItemCap, k.InnerError = 1, "innererror" }),
				later("ItemCap, InnerError nested", func(k *graphsim.Knobs) { k.ItemCap, k.InnerError = 1, "nested" }),
			}},
		{"30 items more, for a device that holds one", "post", before, "", "does not call: the newest event that adds to the set is refused", no, -1, 1, nil, []how{
			{name: "31 items", turn: func(*testing.T, *trial) {}, ask: remove(apps(2, 31)...)},
		}},
		{"an empty set is refused", "post", before, "refused", "the event is to blame by itself", no, 1, 1, nil, []how{
			func() how {
				h := later("EmptyRestoresAll", func(k *graphsim.Knobs) { k.EmptyRestoresAll = false })
				h.ask = restore(app(1))
				return h
			}(),
		}},
		{"every set is refused, as for a platform without the feature", "post", before, "refused",
			"ends the event; reads again before the next call, as nothing that Graph holds was proven to be refused",
			no.with("`refused`, dead letter", "A", "-", "AC"), 0, 1, nil, []how{
				{name: "Platform", lasts: true, turn: func(_ *testing.T, x *trial) { x.platform("Windows") }, heal: func(x *trial) { x.platform("iOS") }},
			}},
		{"a permission is missing, in a token that was made without it", "post", before, "denied", "pauses the tenant for a minute, longer each time; a permission that is granted shows in the next token, within the hour", off, 0, 1,
			[]time.Duration{deniedMin / 2, deniedMin}, []how{
				{name: "Roles", turn: func(_ *testing.T, x *trial) {
					x.roles("DeviceManagementManagedDevices.Read.All")
					x.sim.Advance(2 * time.Hour)
				}, heal: func(x *trial) { x.roles() }},
			}},
		{"the token is revoked, with a claims challenge (CAE)", "get", before, "ok", "gets a token with these claims and reads again at once", told, 1, 1, nil, []how{
			{name: "Revoke", cae: true, turn: func(_ *testing.T, x *trial) { x.sim.Revoke(x.entra, clientID, graphsim.Challenge{}) }},
			{name: "Revoke as 403", cae: true, turn: func(_ *testing.T, x *trial) { x.sim.Revoke(x.entra, clientID, graphsim.Challenge{Forbidden: true}) }},
		}},
		{"the same, and the client has not said that it takes challenges", "get", before, "denied", "pauses the tenant for a minute, longer each time", off, 0, 1,
			[]time.Duration{deniedMin / 2, deniedMin}, []how{
				{name: "Revoke for everyone", turn: func(_ *testing.T, x *trial) { x.sim.Revoke(x.entra, clientID, graphsim.Challenge{Everyone: true}) }, heal: (*trial).anew},
				{name: "Revoke for everyone as 403", turn: func(_ *testing.T, x *trial) {
					x.sim.Revoke(x.entra, clientID, graphsim.Challenge{Everyone: true, Forbidden: true})
				}, heal: (*trial).anew},
			}},
		{"the tenant's quota is used up", "post", before, "throttled", "pauses the tenant as long as asked, or 5 s and longer each time", told, 0, 2,
			[]time.Duration{0, 3*window + 2*time.Second}, append(crowds(),
				crowded("ThrottledApplies", func(k *graphsim.Knobs) { k.ThrottledApplies = true }))},
		{"the same, for longer than 10 minutes", "post", before, "throttled", "pauses the tenant for 10 minutes", off, 0, 1,
			[]time.Duration{pauseMax - 5*time.Second, pauseMax}, []how{crowded("RetryAfter huge", func(k *graphsim.Knobs) { k.RetryAfter = "huge" })}},
		{"a call while another action is pending is refused (409)", "post", before, "in_doubt", "reads, and tells the set again, until it is taken", told, 0, 1, nil, []how{
			offline("refuse"),
		}},
		{"the same, but it is taken and waits on the device", "post", before, "ok", "believes it", told, 1, 1, nil, []how{
			offline("queue"),
		}},
		{"reads show the state late, and the reply is lost", "post", before, "in_doubt", "reads when the call must show", told, 1, 1, nil, []how{
			switched("ShowLag", func(k *graphsim.Knobs) { k.ShowLag = patience.Lag / 2 }).and(fail(lost)),
		}},
		{"reads never show the action, and the reply is lost", "post", before, "in_doubt", "tells the set again: absence proves nothing", told, 2, 2, nil, []how{
			switched("NeverShown", func(k *graphsim.Knobs) { k.NeverShown = true }).and(fail(lost)),
		}},
		{"Graph restores an item by itself", "get", before, "ok", "believes it, and does not remove it again", told.with("`accepted`; what Graph restored stays so", "B", "", "BC"), 1, 1, nil, []how{
			later("AutoRestore", func(k *graphsim.Knobs) { k.AutoRestore = time.Hour }).and(func(x *trial) { x.sim.Advance(90 * time.Minute) }),
			later("AutoRestoreSpread", func(k *graphsim.Knobs) { k.AutoRestore, k.AutoRestoreSpread = time.Hour, time.Hour }).and(func(x *trial) { x.sim.Advance(3 * time.Hour) }),
		}},
		{"the same, and the item is listed no longer", "get", before, "ok", "believes for `Hold` that the item is removed, and so removes it again", told, 1, 1, nil, []how{
			later("ForgetRestored", func(k *graphsim.Knobs) { k.AutoRestore, k.ForgetRestored = time.Hour, time.Minute }).and(func(x *trial) { x.sim.Advance(90 * time.Minute) }),
		}},
		{"what Graph does differently elsewhere", "get", before, "ok", "notices nothing", told, 1, 1, nil, harmless()},
	}
}
