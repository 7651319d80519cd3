package graph_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"changerelay/internal/graph"
	"changerelay/internal/graphsim"
)

// A target is a tenant with one device that the cases may change: the
// simulator's, or a real one.
type target struct {
	t      *testing.T
	client *graph.Client
	wire   *wire
	device string
	items  []graph.Item                     // assigned to it, at least one
	settle func(seen func() bool) (ok bool) // waits until a read shows it
	note   func(question, answer string)
}

// A contractCase is a promise that our client relies on. Where Microsoft
// promises nothing it only notes what happened.
type contractCase struct {
	name string
	run  func(x *target)
}

var contract = []contractCase{
	{"the app has its permissions", func(x *target) {
		if l, err := x.client.Lacking(x.t.Context()); err != nil || l != nil {
			x.t.Errorf("%+v, %v", l, err)
		}
	}},
	{"a set is taken, and shown", func(x *target) {
		r, err := x.post(x.items[:1]...)
		if err != nil || r.Status/100 != 2 || r.RequestID == "" || r.ClientRequestID == "" {
			x.t.Fatalf("%+v, %v", r, err)
		}
		x.note("status of a set that is taken", fmt.Sprint(r.Status))
		x.shows(x.items[:1])
		x.note("actionName", x.wire.field("actionName"))
		x.note("actionState", x.wire.field("actionState"))
	}},
	{"the same set again", func(x *target) {
		before := x.wire.field("lastActionDateTime")
		_, err := x.post(x.items[:1]...)
		x.noted("the identical set again", err)
		x.shows(x.items[:1])
		x.note("… moves lastActionDateTime", fmt.Sprint(x.wire.field("lastActionDateTime") != before))
	}},
	{"a set replaces the one before it, also while that is pending", func(x *target) {
		if len(x.items) < 2 {
			x.t.Skip("needs two items")
		}
		_, err := x.post(x.items[1])
		x.noted("another set while one is pending", err)
		x.shows(x.items[1:2])
		if r := x.read(); !slices.ContainsFunc(r.Restored, func(i graph.Item) bool { return strings.EqualFold(i.ID, x.items[0].ID) }) {
			x.note("an item that was left out", "is listed no more")
		} else {
			x.note("an item that was left out", "is listed with intent restore")
		}
	}},
	{"an empty set", func(x *target) {
		_, err := x.post()
		x.noted("an empty set", err)
		if err == nil {
			x.shows(nil)
		}
	}},
	{"read-only fields", func(x *target) {
		x.wire.edit = func(body string) string {
			return strings.ReplaceAll(body, `"itemType"`, `"assignmentItemActionStatus":"initiated","itemType"`)
		}
		defer func() { x.wire.edit = nil }()
		_, err := x.post(x.items[:1]...)
		x.noted("read-only fields in a request", err)
	}},
	{"an unknown device is gone", func(x *target) {
		const nobody = "00000000-dead-4000-8000-000000000000"
		_, err := x.client.ChangeAssignments(x.t.Context(), graph.ManagedDevice(nobody), x.items[:1], time.Time{}, graph.Consent{})
		x.noted("a set for an unknown device", err)
		kind(x.t, err, graph.Gone)
		_, err = x.client.ActionResult(x.t.Context(), graph.ManagedDevice(nobody))
		x.noted("a read of an unknown device", err)
		kind(x.t, err, graph.Gone)
	}},
	{"the route by comanagedDevices", func(x *target) {
		_, err := x.client.DeviceID(x.t.Context(), graph.ComanagedDevice(x.device))
		x.noted("a read by comanagedDevices", err)
	}},
	{"a route leads to its device", func(x *target) {
		if id, err := x.client.DeviceID(x.t.Context(), graph.ManagedDevice(strings.ToUpper(x.device))); err != nil || id != x.device {
			x.t.Errorf("%s, %v", id, err)
		}
	}},
	{"an item that is not assigned", func(x *target) {
		_, err := x.post(graph.Item{ID: "00000000-beef-4000-8000-000000000000", Type: "application"})
		x.noted("an item that is not assigned", err)
	}},
	{"more than 30 items", func(x *target) {
		var set []graph.Item
		for n := range 31 {
			set = append(set, graph.Item{ID: fmt.Sprintf("00000000-beef-4000-8000-%012d", n), Type: "application"})
		}
		_, err := x.post(set...)
		x.noted("31 items, none assigned", err)
	}},
}

func (x *target) post(set ...graph.Item) (graph.Reply, error) {
	return x.client.ChangeAssignments(x.t.Context(), graph.ManagedDevice(x.device), set, time.Time{}, graph.Consent{})
}

func (x *target) read() graph.Result {
	x.t.Helper()
	r, err := x.client.ActionResult(x.t.Context(), graph.ManagedDevice(x.device))
	if err != nil {
		x.t.Fatal(err)
	}
	return r
}

// shows waits until Graph lists the set as under removal.
func (x *target) shows(set []graph.Item) {
	x.t.Helper()
	var got graph.Result
	if !x.settle(func() bool { got = x.read(); return sameItems(got.Removed, set) }) {
		x.t.Errorf("Graph shows %+v, want %v under removal", got, set)
	}
}

// noted notes an end that is not known beforehand. It has to be one that the
// client understands: in doubt is none.
func (x *target) noted(question string, err error) {
	x.t.Helper()
	answer := "taken"
	if e, ok := errors.AsType[*graph.Error](err); ok {
		answer = fmt.Sprintf("%s: %d %s: %s", e.Kind, e.Status, e.Code, e.Message)
		if e.Kind == graph.InDoubt || e.Kind == graph.Unavailable {
			x.t.Errorf("%s: %v", question, e)
		}
	}
	x.note(question, answer)
}

func sameItems(a, b []graph.Item) bool {
	ids := func(list []graph.Item) (ids []string) {
		for _, i := range list {
			ids = append(ids, strings.ToLower(i.ID))
		}
		slices.Sort(ids)
		return ids
	}
	return slices.Equal(ids(a), ids(b))
}

func TestContractSimulated(t *testing.T) {
	const tenant, app = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"
	items := []graph.Item{{"aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa", "application"}, {"bbbbbbbb-bbbb-4bbb-8bbb-bbbbbbbbbbbb", "deviceConfiguration"}}
	for _, change := range []func(*graphsim.Knobs){
		func(*graphsim.Knobs) {},
		func(k *graphsim.Knobs) { k.EmptyRestoresAll, k.RefuseReadOnlyFields, k.CheckIn = false, true, 0 },
	} {
		sim, err := graphsim.New(graphsim.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if err := sim.Start(); err != nil {
			t.Fatal(err)
		}
		k := graphsim.DefaultKnobs()
		change(&k)
		sim.Set(k)
		sim.AddTenant(graphsim.Tenant{ID: tenant, ClientID: app, ClientSecret: secret},
			graphsim.Device{ID: device, Assigned: []string{items[0].ID, items[1].ID}})
		roots := x509.NewCertPool()
		roots.AppendCertsFromPEM(sim.CA())
		transport := graph.NewTransport()
		transport.TLSClientConfig = &tls.Config{RootCAs: roots}
		x := &target{wire: &wire{base: transport}, device: device, items: items, note: func(string, string) {},
			settle: func(seen func() bool) bool { return seen() }}
		x.client, err = graph.New(graph.Config{TenantID: tenant, ClientID: app, Custom: true, Transport: x.wire,
			Credential: graph.Credential{Secret: func() (string, error) { return secret, nil }},
			Cloud:      graph.Cloud{Graph: sim.URL(), Authority: sim.URL()}})
		if err != nil {
			t.Fatal(err)
		}
		x.runAll(t)
		transport.CloseIdleConnections()
		if err := sim.Close(); err != nil {
			t.Error(err)
		}
	}
}

func (x *target) runAll(t *testing.T) {
	for _, c := range contract {
		t.Run(c.name, func(t *testing.T) {
			x.t = t
			c.run(x)
		})
	}
	x.t = t
}

// within asks again until it is so, or ctx has ended.
func within(ctx context.Context, every time.Duration, so func() bool) bool {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for !so() {
		select {
		case <-ctx.Done():
			return false
		case <-tick.C:
		}
	}
	return true
}
