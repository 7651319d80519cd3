package worker

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"changerelay/internal/await"
	"changerelay/internal/events"
	"changerelay/internal/graphsim"
	"changerelay/internal/natstest"
)

const runOf = "deviceHealthScripts/8f1a/deviceRunStates/"

// aimed makes an event whose device is named by a target.
func (r *rig) aimed(target string, cs ...events.Change) events.Event {
	r.t.Helper()
	r.n++
	e, err := events.New(events.Event{
		ID: fmt.Sprint("e", r.n), Source: "/test", Ticket: fmt.Sprintf("CHG%07d", r.n), Tenant: "acme", Target: events.Target(target),
		Time: time.Now().Add(time.Duration(r.n) * time.Millisecond), Changes: cs,
	}, time.Now())
	if err != nil {
		r.t.Fatal(err)
	}
	return e
}

func (r *rig) send(e events.Event) events.Event {
	r.t.Helper()
	if _, err := r.s.Publish(context.Background(), e); err != nil {
		r.t.Fatal(err)
	}
	return e
}

// enrol adds a device to the simulated tenant, or changes one.
func (r *rig) enrol(d graphsim.Device) {
	r.sim.AddTenant(graphsim.Tenant{ID: entraTenant, ClientID: clientID, ClientSecret: secret}, d)
}

func phoneOf(id string) graphsim.Device {
	return graphsim.Device{ID: id, Name: "other", Platform: "iOS"}
}

// ran has a script's run state lead to a device.
func (r *rig) ran(state, dev string) {
	for _, f := range []string{"deviceHealthScripts", "deviceManagementScripts", "deviceComplianceScripts"} {
		r.sim.AddRunState(entraTenant, graphsim.RunState{Family: f, Script: "8f1a", State: state, Device: dev})
	}
}

// routed knows a device with a user, an app and runs of scripts.
func routed(t *testing.T) *rig {
	r := newRig(t)
	k := r.sim.Knobs()
	k.ComanagedRoute = true
	r.sim.Set(k)
	r.enrol(graphsim.Device{ID: device, Name: "phone", Platform: "iOS", UserID: "ada@example.com", DetectedApps: []string{"0000a1"}})
	r.ran("77", device)
	return r
}

// told lists the routes by which a device was told, in order.
func (r *rig) told() (routes []string) {
	for _, c := range r.sim.Journal() {
		if c.Op == "post" && c.Applied {
			routes = append(routes, c.Route)
		}
	}
	return routes
}

// However the device is named, its one document has the whole set, and each set is
// told by the route of its newest event.
func TestEachRouteReachesTheOneDocument(t *testing.T) {
	t.Parallel()
	r := routed(t)
	w := r.work()
	var all []events.Item
	targets := []string{"", "comanagedDevices/" + device}
	for _, f := range []string{"deviceHealthScripts", "deviceManagementScripts", "deviceComplianceScripts"} {
		run := f + "/8f1a/deviceRunStates/77/managedDevice"
		targets = append(targets, run, run+"/users/ada@example.com/managedDevices/"+device, run+"/detectedApps/0000a1/managedDevices/"+device)
	}
	for i, target := range targets {
		var e events.Event
		if target == "" {
			e = r.publish(remove(app(i))...)
		} else {
			e = r.send(r.aimed(target, remove(app(i))...))
		}
		got := r.outcome(e, events.Accepted)
		if got.Device != device || string(got.Target) != target {
			t.Errorf("%s: %+v", target, got)
		}
		r.settled(device)
		all = append(all, app(i))
		r.held(device, all...)
	}
	w.stop()
	var want []string
	for _, target := range targets {
		first, _, _ := strings.Cut(target, "/")
		if first == "" {
			first = "managedDevices"
		}
		want = append(want, first)
	}
	if got := r.told(); !slices.Equal(got, want) {
		t.Errorf("told by\n%v, want\n%v", got, want)
	}
}

// An event goes to one device for good: a second delivery does not follow a run
// state that leads elsewhere by then.
func TestAResolvedEventStaysWithItsDevice(t *testing.T) {
	t.Parallel()
	r := routed(t)
	const other = "1f9a6d1e-7b0a-4d0e-9a52-3c1b7f0a1d12"
	r.enrol(phoneOf(other))
	w := r.work()
	e := r.send(r.aimed(runOf+"77/managedDevice", remove(app(1))...))
	first := r.outcome(e, events.Accepted)
	r.ran("77", other)
	if duplicate, err := r.s.Publish(context.Background(), e); err != nil || !duplicate {
		t.Errorf("again: duplicate %v, %v", duplicate, err)
	}
	changed := e
	changed.Changes = remove(app(2))
	if _, err := r.s.Publish(context.Background(), changed); err != events.ErrConflict {
		t.Errorf("with other items: %v, want a conflict", err)
	}
	// One that the relay has not seen before follows the run state, and one for the
	// old device is not told through it.
	e2 := r.send(r.aimed(runOf+"77/managedDevice", remove(app(3))...))
	if got := r.outcome(e2, events.Accepted); got.Device != other {
		t.Errorf("a new event is for %s", got.Device)
	}
	stale := r.aimed(runOf+"77/managedDevice", remove(app(4))...)
	stale.Device = device
	if got := r.outcome(r.send(stale), events.Refused); !strings.Contains(got.Reason, "leads to another device now, "+other) {
		t.Error(got.Reason)
	}
	w.stop()
	if first.Device != device {
		t.Errorf("the first event is for %s", first.Device)
	}
	r.held(device, app(1))
	r.held(other, app(3))
}

func TestAnUnresolvableTargetIsRefused(t *testing.T) {
	t.Parallel()
	r := routed(t)
	w := r.work()
	for target, reason := range map[string]string{
		runOf + "nobody/managedDevice":                              "ResourceNotFound",
		"deviceHealthScripts/none/deviceRunStates/77/managedDevice": "ResourceNotFound",
	} {
		e := r.send(r.aimed(target, remove(app(1))...))
		got := r.outcome(e, events.Refused)
		if !strings.Contains(got.Reason, "data.target leads to no device: finding device: gone: 404 "+reason) || got.Device != "" || string(got.Target) != target {
			t.Errorf("%+v", got)
		}
		ls, err := r.s.Letters(context.Background(), e.Ref().DeadSubject(events.Refused), 0, 10)
		if err != nil || len(ls) != 1 || string(ls[0].Data) != string(e.Encode()) {
			t.Errorf("dead letters: %+v, %v", ls, err)
		}
		if duplicate, err := r.s.Publish(context.Background(), e); err != nil || !duplicate {
			t.Errorf("again: duplicate %v, %v", duplicate, err)
		}
	}
	// Once Graph knows the run, the dead letter is replayed.
	late := r.send(r.aimed(runOf+"88/managedDevice", remove(app(5))...))
	r.outcome(late, events.Refused)
	r.ran("88", device)
	ls, err := r.s.Letters(context.Background(), late.Ref().DeadSubject(events.Refused), 0, 1)
	if err != nil || len(ls) != 1 {
		t.Fatal(ls, err)
	}
	again, _, err := r.s.Replay(context.Background(), late, ls[0].Number)
	if err != nil {
		t.Fatal(err)
	}
	await.State(t, "the replay's outcome", func() bool {
		got, err := r.s.Find(context.Background(), again)
		return err == nil && got.Outcome == events.Accepted && got.Device == device && strings.HasSuffix(got.ID, fmt.Sprintf("-r%d", ls[0].Number))
	})
	// A route that is not served for this device is the event's fault, and its
	// device's other events go on.
	e := r.send(r.aimed(runOf+"77/managedDevice/users/eve@example.com/managedDevices/"+device, remove(app(2))...))
	r.outcome(e, events.Refused)
	r.outcome(r.publish(remove(app(3))...), events.Accepted)
	w.stop()
	r.held(device, app(3), app(5))
}

// What is no event, or has no tenant, or another event's id, is a dead letter; what
// Graph does not answer is tried again.
func TestTargetsThatWait(t *testing.T) {
	t.Parallel()
	r := routed(t)
	r.sim.Fail(graphsim.Fault{Op: "get", Status: 503, Times: 2})
	r.sim.Fail(graphsim.Fault{Op: "get", Skip: 1, Reset: true})
	e := r.send(r.aimed(runOf+"77/managedDevice", remove(app(1))...))
	if got, err := r.s.Find(context.Background(), e.Ref()); err != nil || got.Outcome != "" || got.Target != e.Target {
		t.Errorf("while it waits: %+v, %v", got, err)
	}
	w := r.work()
	r.outcome(e, events.Accepted)

	same := r.aimed(runOf+"77/managedDevice", remove(app(2))...)
	same.ID = e.ID
	if got := r.outcome(r.send(same), events.Invalid); !strings.Contains(got.Reason, "another event with this source and id") {
		t.Errorf("%+v", got)
	}
	foreign := r.aimed(runOf+"77/managedDevice", remove(app(2))...)
	foreign.Tenant = "nobody"
	if got := r.outcome(r.send(foreign), events.Invalid); !strings.Contains(got.Reason, "is not a tenant") {
		t.Errorf("%+v", got)
	}
	w.stop()
	old := r.send(r.aimed(runOf+"77/managedDevice", remove(app(5))...))
	w = r.work(func(c *Config) { c.Now = func() time.Time { return time.Now().Add(5 * time.Hour) } })
	r.outcome(old, events.Expired)
	w.stop()
}

// Workers that race, one of which dies, bring each event to its device once.
func TestResolveIsOnceWhoeverRaces(t *testing.T) {
	t.Parallel()
	r := routed(t)
	var sent []events.Event
	var all []events.Item
	for i := range 20 {
		all = append(all, app(i))
		sent = append(sent, r.send(r.aimed(runOf+"77/managedDevice", remove(app(i))...)))
	}
	first, others := r.work(), []*running{r.work(), r.work()}
	r.outcome(sent[0], events.Accepted)
	first.crash()
	for _, e := range sent {
		r.outcome(e, events.Accepted)
	}
	await.State(t, "TARGETS to be empty", func() bool { return r.stored("TARGETS") == 0 })
	r.settled(device)
	for _, w := range others {
		w.stop()
	}
	r.held(device, all...)
	if n := r.stored("CHANGES"); n != uint64(len(sent)) {
		t.Errorf("%d events became %d", len(sent), n)
	}
	r.finals(2 * uint64(len(sent))) // each has a receipt that says which device it is, and its outcome
}

// A worker dies between the receipt that resolves a target and the event, and
// meanwhile the device gets another event of that id: each has its own outcome.
func TestAResolvedTargetWhoseIDIsTaken(t *testing.T) {
	t.Parallel()
	r := routed(t)
	ctx := context.Background()
	e := r.send(r.aimed(runOf+"77/managedDevice", remove(app(1))...))
	to := events.Ref{Address: events.Address{Tenant: "acme", Device: device}, Key: e.Ref().Key}
	if err := r.s.Report(ctx, events.Receipt{ID: e.Ref().String(), Ticket: e.Ticket, Tenant: e.Tenant, Device: device, Target: e.Target,
		Change: to.String(), Changes: e.Changes, Digest: e.Fingerprint()}); err != nil {
		t.Fatal(err)
	}
	other := e
	other.Target, other.Device, other.Changes = "", device, remove(app(7))
	r.send(other)
	if got, err := r.s.Find(ctx, e.Ref()); err != nil || got.Outcome != "" || got.ID != e.Ref().String() || got.Digest != "" {
		t.Errorf("before a worker looks: %+v, %v", got, err)
	}
	w := r.work()
	r.outcome(other, events.Accepted)
	got := r.outcome(e, events.Invalid)
	if !strings.Contains(got.Reason, "another event with this source and id") || got.ID != e.Ref().String() || got.Digest != "" {
		t.Errorf("%+v", got)
	}
	if duplicate, err := r.s.Publish(ctx, e); err != nil || !duplicate {
		t.Errorf("again: duplicate %v, %v", duplicate, err)
	}
	await.State(t, "TARGETS to be empty", func() bool { return r.stored("TARGETS") == 0 })
	w.stop()
	list, total, err := r.s.FindTicket(ctx, e.Ticket, []string{"acme"})
	if err != nil || total != 2 || len(list) != 2 {
		t.Errorf("of the ticket: %+v, %d, %v", list, total, err)
	}
	r.held(device, app(7))
}

// What a direct publisher stores under the id of a target that has ended is
// another event: it is a dead letter, and says nothing of the first.
func TestATargetUnderAnIDThatHasEnded(t *testing.T) {
	t.Parallel()
	r := routed(t)
	ctx := context.Background()
	e := r.send(r.aimed(runOf+"nobody/managedDevice", remove(app(1))...))
	w := r.work()
	r.outcome(e, events.Refused)
	await.State(t, "TARGETS to be empty", func() bool { return r.stored("TARGETS") == 0 })
	mended := e
	mended.Target = runOf + "77/managedDevice"
	if _, err := r.s.Publish(ctx, mended); err != events.ErrConflict {
		t.Errorf("with another target: %v, want a conflict", err)
	}
	if err := natstest.Connect(t, r.url).Publish(mended.Subject(), mended.Encode()); err != nil {
		t.Fatal(err)
	}
	await.State(t, "its dead letter", func() bool {
		ls, err := r.s.Letters(ctx, mended.Ref().DeadSubject(events.Invalid), 0, 1)
		return err == nil && len(ls) == 1
	})
	r.outcome(e, events.Refused)
	w.stop()
	r.held(device)
}
