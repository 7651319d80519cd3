package worker

import (
	"time"

	"changerelay/internal/events"
	"changerelay/internal/graphsim"
)

// harmless are the switches that the relay does not feel.
func harmless() []how {
	hs := []how{
		later("token expired", func(*graphsim.Knobs) {}).and(func(x *trial) { x.sim.Advance(2 * time.Hour) }),
		later("ClockSkew over a token's life", func(k *graphsim.Knobs) { k.ClockSkew = 2 * time.Hour }),
		later("ClockSkew back", func(k *graphsim.Knobs) { k.ClockSkew = -10 * time.Minute }),
		later("SetFate", func(*graphsim.Knobs) {}).and(func(x *trial) {
			x.sim.SetFate(x.entra, x.device, app(2).ID, graphsim.Fate{Code: 1, Message: "Bearer " + planted})
		}),
		later("SetOffline", func(*graphsim.Knobs) {}).and(func(x *trial) { x.sim.SetOffline(x.entra, x.device, true) }),
		later("NoApproval", func(k *graphsim.Knobs) { k.Approval = "documented" }).and(func(x *trial) {
			x.sim.AddApp(x.entra, graphsim.App{ClientID: clientID, ClientSecret: x.secret, NoApproval: true})
		}),
	}
	return append(hs,
		switched("ActionName", func(k *graphsim.Knobs) { k.ActionName = "anotherName" }),
		switched("CheckIn", func(k *graphsim.Knobs) { k.CheckIn = time.Minute }),
		switched("NullIsEmpty", func(k *graphsim.Knobs) { k.NullIsEmpty = true }),
		switched("MergeDuplicates", func(k *graphsim.Knobs) { k.MergeDuplicates = true }),
		switched("RefuseReadOnlyFields", func(k *graphsim.Knobs) { k.RefuseReadOnlyFields = true }),
		switched("RepeatRestarts", func(k *graphsim.Knobs) { k.RepeatRestarts = true }),
		switched("RepeatRetries", func(k *graphsim.Knobs) { k.RepeatRetries = true }),
		switched("ReadRolePosts", func(k *graphsim.Knobs) { k.ReadRolePosts = true }),
		switched("ComanagedRoute", func(k *graphsim.Knobs) { k.ComanagedRoute = true }),
		switched("NoScriptRoutes", func(k *graphsim.Knobs) { k.NoScriptRoutes = true }),
		switched("WhilePending merge", func(k *graphsim.Knobs) { k.WhilePending, k.CheckIn = "merge", time.Hour }),
		switched("TokenLife", func(k *graphsim.Knobs) { k.TokenLife = 2 * time.Second }),
		switched("CAETokenLife, RefreshIn", func(k *graphsim.Knobs) { k.CAETokenLife, k.RefreshIn = 24*time.Hour, time.Second }),
		switched("Approval off", func(k *graphsim.Knobs) { k.Approval = "off" }),
	)
}

// window is the window of a quota of one write.
const window = 4 * time.Second

// crowded has another device of the tenant use the quota up.
func crowded(name string, f func(*graphsim.Knobs)) how {
	h := later(name, func(k *graphsim.Knobs) {
		k.PostLimitTenant, k.PostLimitApp, k.Window = 1, 1, window
		f(k)
	})
	h.lasts = true
	return h.and(func(x *trial) { x.crowd = true; x.sim.Advance(2 * window) })
}

func crowds() []how {
	return []how{
		crowded("PostLimitTenant", func(k *graphsim.Knobs) { k.PostLimitApp = 0 }),
		crowded("PostLimitApp", func(k *graphsim.Knobs) { k.PostLimitTenant = 0 }),
		crowded("AnyLimitTenant", func(k *graphsim.Knobs) { k.PostLimitApp, k.PostLimitTenant, k.AnyLimitTenant = 0, 0, 3 }),
		crowded("AnyLimitApp", func(k *graphsim.Knobs) { k.PostLimitApp, k.PostLimitTenant, k.AnyLimitApp = 0, 0, 3 }),
		crowded("RetryAfter seconds", func(k *graphsim.Knobs) { k.RetryAfter = "seconds" }),
		crowded("RetryAfter date", func(k *graphsim.Knobs) { k.RetryAfter = "date" }),
		crowded("RetryAfter date, ClockSkew", func(k *graphsim.Knobs) { k.RetryAfter, k.ClockSkew = "date", 8*time.Minute }),
		crowded("RetryAfter absent", func(k *graphsim.Knobs) { k.RetryAfter = "absent" }),
		crowded("ThrottleBody documented", func(k *graphsim.Knobs) { k.ThrottleBody = "documented" }),
		crowded("ThrottleBody short", func(k *graphsim.Knobs) { k.ThrottleBody = "short" }),
		crowded("ThrottleBody nested", func(k *graphsim.Knobs) { k.ThrottleBody = "nested" }),
	}
}

// offline has the first ticket wait on a device that comes on line when the
// second has met it.
func offline(pending string) how {
	h := switched("WhilePending "+pending, func(k *graphsim.Knobs) { k.WhilePending = pending })
	h.lasts, h.mend = true, func(x *trial) { x.sim.SetOffline(x.entra, x.device, false) }
	turn := h.sim
	h.sim = func(x *trial, k *graphsim.Knobs) {
		turn(x, k)
		x.sim.SetOffline(x.entra, x.device, true)
	}
	return h
}

// knob turns a knob of the trial's own simulator.
func (x *trial) knob(f func(*graphsim.Knobs)) {
	k := x.sim.Knobs()
	f(&k)
	x.sim.Set(k)
}

// reset turns every knob back.
func (x *trial) reset() { x.sim.Set(polite()) }

// anew registers the app anew: its challenge, which no token answers, is over.
func (x *trial) anew() {
	x.sim.AddTenant(graphsim.Tenant{ID: x.entra, ClientID: "2b7e1d52-9b1e-4d0e-8a52-3c1b7f0a1dff"}) // takes the app away
	x.enrol()
}

// platform enrols the device anew; its set stays.
func (x *trial) platform(name string) { x.enrol(graphsim.Device{ID: x.device, Platform: name}) }

func (x *trial) roles(names ...string) {
	x.sim.AddApp(x.entra, graphsim.App{ClientID: clientID, ClientSecret: x.secret, Roles: names})
}

func (x *trial) enrol(ds ...graphsim.Device) {
	x.sim.AddTenant(graphsim.Tenant{ID: x.entra, ClientID: clientID, ClientSecret: x.secret}, ds...)
}

// apps are the apps from a to b.
func apps(a, b int) (s []events.Item) {
	for n := a; n <= b; n++ {
		s = append(s, app(n))
	}
	return s
}
