package main

import (
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"changerelay/internal/events"
	"changerelay/internal/graphsim"
	"changerelay/internal/ledger"
	"changerelay/internal/natstest"
)

// busy is a document in which everything is going on at once.
func (r *rig) busy() ledger.Device {
	t, now := ledger.DefaultTiming, time.Now().UTC().Truncate(time.Millisecond)
	at := now.Add(-20 * time.Minute)
	d := r.fold(ledger.Device{}, event(r.t, "CHG0000001", at, change(events.Remove, app1), change(events.Remove, app2)), 1)
	d = d.See(ledger.Sight{At: at.Add(time.Second)}, t).Begin("a1", at.Add(2*time.Second), t)
	d = must(d.Accepted("a1", "req-1", at.Add(3*time.Second)))

	// A call whose reply was lost, which a read did not show.
	at = now.Add(-3 * time.Minute)
	d = r.fold(d, event(r.t, "CHG0000002", at, change(events.Restore, app2)), 2)
	d = d.See(ledger.Sight{At: at.Add(time.Second), Removed: []events.Item{{ID: app1, Type: "application"}, {ID: app2, Type: "application"}}}, t)
	d = d.Begin("a2", at.Add(2*time.Second), t)
	d = d.See(ledger.Sight{At: at.Add(2 * time.Minute), Removed: []events.Item{{ID: app2, Type: "application"}}, Restored: []events.Item{{ID: app1, Type: "application"}}}, t)

	// The next one, under way.
	d = r.fold(d, event(r.t, "CHG0000003", now.Add(-5*time.Second), change(events.Remove, app3)), 3)
	return d.Begin("a3", now, t)
}

func TestDevice(t *testing.T) {
	r := newRig(t)
	r.run("device", "acme", phone).want(t, 0, `
device  0f9a6d1e-7b0a-4d0e-9a52-3c1b7f0a1d11
tenant  acme
ledger  knows nothing of this device: no event for it has been folded
Graph   shows no changeAssignments action for this device
`, "")

	r.keep(r.busy())
	r.sim.PortalRemove(entraTenant, phone, graphsim.Item{ID: app1, Type: "application"}, graphsim.Item{ID: app2, Type: "application"})
	r.sim.PortalRestore(entraTenant, phone, app1)
	const table = `
device      0f9a6d1e-7b0a-4d0e-9a52-3c1b7f0a1d11
tenant      acme
next        wait until TIME: a call may be in flight or come late
untold      2 events
unreported  1 outcome
attempt     open until TIME: 2 events, set of 1 item
doubt       a set of 1 item may come late, until TIME
viewed      TIME
called      TIME
Graph       shows 1 removed, 1 restored

ITEM                                  TYPE         TOLD                                             PENDING                        BELIEVED  GRAPH
5b1c9b0e-5d0c-4b43-9a0a-2f6f7d6a1c01  application  remove TIME by CHG0000001, undone elsewhere since  -                            -         restored
5b1c9b0e-5d0c-4b43-9a0a-2f6f7d6a1c02  application  remove TIME by CHG0000001                        restore by CHG0000002, 3m old  removed   removed
5b1c9b0e-5d0c-4b43-9a0a-2f6f7d6a1c03  application  -                                                remove by CHG0000003, 0s old   -         not listed

TICKET      STATE                                ACCEPTED  EXPIRES  CALLS  EVENT
CHG0000002  in the call that may be under way    TIME      TIME     2      acme.0f9a6d1e-7b0a-4d0e-9a52-3c1b7f0a1d11.KEY
CHG0000003  in the call that may be under way    TIME      TIME     1      acme.0f9a6d1e-7b0a-4d0e-9a52-3c1b7f0a1d11.KEY
CHG0000001  accepted, to be published            TIME      -        1      acme.0f9a6d1e-7b0a-4d0e-9a52-3c1b7f0a1d11.KEY
`
	r.run("device", "acme", phone).want(t, 0, table, "")

	lines := strings.NewReplacer("shows 1 removed, 1 restored", "not read",
		"  restored\n", "  ?\n", "removed  removed\n", "removed  ?\n", "not listed", "?").Replace(norm(table) + "\n")
	r.run("device", "acme", phone, "--no-graph").want(t, 0, lines, "")
}

// What cannot be read is said, and what can be is shown.
func TestDeviceInPart(t *testing.T) {
	r := newRig(t)
	r.run("device", "initech", phone).fails(t, 1, `there is no tenant "initech" in `+r.config+"; it has acme, globex")
	r.run("device", "acme", "phone").fails(t, 1, `"phone" is not an Intune device id`)

	r.keep(r.busy())
	r.sim.DeleteDevice(entraTenant, phone)
	got := r.run("device", "acme", phone)
	got.fails(t, 1, "relayctl: asking Graph: reading action result: gone: 404")
	if !strings.Contains(got.out, "Graph       not read") || !strings.Contains(got.out, "CHG0000002") {
		t.Errorf("printed\n%s", got.out)
	}
	js, err := jetstream.New(natstest.Connect(t, r.broker.URL()))
	if err != nil {
		t.Fatal(err)
	}
	if err := js.DeleteStream(t.Context(), "OUTCOMES"); err != nil {
		t.Fatal(err)
	}
	got = r.run("device", "acme", phone, "--no-graph")
	got.fails(t, 1, "looking up tickets: the broker has no stream OUTCOMES")
	if !strings.Contains(got.out, "by event "+events.Key("/test", "of-CHG0000001")) {
		t.Errorf("without streams, events are named by their keys:\n%s", got.out)
	}
	r.broker.Stop()
	got = r.run("device", "acme", phone)
	got.fails(t, 1, "relayctl: reading the ledger: the broker does not answer at nats://", "relayctl: asking Graph: ")
	if got.out != "" {
		t.Errorf("printed\n%s", got.out)
	}
	r.sim.AddTenant(graphsim.Tenant{ID: entraTenant, ClientID: clientID, ClientSecret: secrets["graph"]}, graphsim.Device{ID: phone})
	r.sim.PortalRemove(entraTenant, phone, graphsim.Item{ID: app1, Type: "application"})
	got = r.run("device", "acme", phone)
	got.fails(t, 1, "relayctl: reading the ledger: ")
	got.stderr = ""
	got.want(t, 1, `
device  0f9a6d1e-7b0a-4d0e-9a52-3c1b7f0a1d11
tenant  acme
ledger  not read
Graph   shows 1 removed, 0 restored

ITEM                                  TYPE         TOLD  PENDING  BELIEVED  GRAPH
5b1c9b0e-5d0c-4b43-9a0a-2f6f7d6a1c01  application  ?     ?        ?         removed
`, "")
}
