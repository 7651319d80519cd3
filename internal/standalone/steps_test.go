package standalone

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"changerelay/internal/await"
	"changerelay/internal/events"
	"changerelay/internal/graphsim"
	"changerelay/internal/natstest"
	"changerelay/internal/relay"
	"changerelay/internal/stream"
	"changerelay/internal/working"
)

// id is what a name of the script stands for.
func (p *play) id(name string) string {
	id := cmp.Or(p.ids[name], uuid(name))
	p.aliases[id] = name
	return id
}

func (p *play) alias(id string) string { return cmp.Or(p.aliases[id], id) }

// item is the app or policy that a name stands for.
func (p *play) item(name string) events.Item {
	for prefix, kind := range map[string]events.ItemType{
		"conf": events.DeviceConfiguration, "policy": events.DeviceManagementConfigurationPolicy, "mobile": events.MobileAppConfiguration,
	} {
		if strings.HasPrefix(name, prefix) {
			return events.Item{ID: p.id(name), Type: kind}
		}
	}
	return events.Item{ID: p.id(name), Type: events.Application}
}

// set is how a set of items is written in a script.
func (p *play) set(items []graphsim.Item) string {
	var names []string
	for _, it := range items {
		names = append(names, p.alias(it.ID))
	}
	slices.Sort(names)
	return cmp.Or(strings.Join(names, " "), "-")
}

// wanted is set for what a script says; - is nothing.
func wanted(names []string) string {
	names = slices.DeleteFunc(slices.Clone(names), func(s string) bool { return s == "-" })
	slices.Sort(names)
	return cmp.Or(strings.Join(names, " "), "-")
}

func (p *play) duration(s string) time.Duration {
	d, err := time.ParseDuration(s)
	if err != nil {
		p.fatalf("%v", err)
	}
	return d
}

func (p *play) number(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		p.fatalf("%v", err)
	}
	return n
}

func (p *play) addTenant(l line) {
	for name, id := range l.opts {
		p.ids[name] = id
		delete(l.opts, name)
		l.args = append(l.args, name)
	}
	var devices []string
	for _, name := range l.args[min(2, len(l.args)):] {
		devices = append(devices, p.id(name))
	}
	p.tenant(l.args[0], devices...)
}

func (p *play) startRole(l line) {
	role, ok := map[string]relay.Role{"relay": relay.Ingest | relay.Worker, "ingest": relay.Ingest, "worker": relay.Worker}[l.args[0]]
	if !ok || p.by[l.args[0]] != nil {
		p.fatalf("want relay, ingest or worker, not yet started")
	}
	age, own, all := p.duration(l.opt("max-age", "0s")), l.opt("own-set", "no") == "yes", l.opt("restore-all", "no") == "yes"
	me := p.start(role, func(parts *relay.Parts, w *working.Parts) {
		w.MaxAge = age
		for name, t := range w.Tenants {
			t.OwnSet, t.RestoreAll = own, all
			w.Tenants[name] = t
		}
		for i := range parts.Sources {
			if all {
				parts.Sources[i].Intents = []events.Intent{events.Remove, events.Restore, events.RestoreAll}
			}
		}
	})
	p.by[l.args[0]] = me
	p.ready(me)
}

func (p *play) stopRole(l line) {
	switch me := p.by[l.args[0]]; {
	case l.args[0] == "broker":
		p.broker.Stop()
	case me == nil:
		p.fatalf("it is not started")
	default:
		me.stop()
		delete(p.by, l.args[0])
	}
}

func (p *play) restartRole(l line) {
	p.stopRole(l)
	if l.args[0] != "broker" {
		p.startRole(l)
		return
	}
	p.broker.Start()
	for _, me := range p.by {
		p.ready(me)
	}
}

// front is the URL of a process that takes webhooks.
func (p *play) front() string {
	for _, me := range p.by {
		if me.ingest != "" {
			return me.ingest
		}
	}
	p.fatalf("no process takes webhooks; start relay or ingest")
	return ""
}

// event makes the event that a ticket, or a publish, describes.
func (p *play) event(l line, source string) events.Event {
	e := events.Event{ID: l.opt("id", l.args[0]), Source: l.opt("source", source), Ticket: l.args[0],
		Tenant: l.opt("tenant", "acme")}
	if state, ok := strings.CutPrefix(l.args[1], "run:"); ok {
		e.Target = events.Target("deviceHealthScripts/8f1a/deviceRunStates/" + state + "/managedDevice")
	} else {
		e.Device = p.id(l.args[1])
	}
	key := e.Source + " " + e.ID
	if p.times[key].IsZero() {
		p.times[key] = approved.Add(time.Duration(len(p.times)) * time.Second)
	}
	e.Time = p.times[key].Add(p.duration(l.opt("at", "0s")))
	if len(l.args) == 3 && l.args[2] == string(events.RestoreAll) {
		e.Changes = []events.Change{{Intent: events.RestoreAll}}
	}
	for i := 2; i+1 < len(l.args); i += 2 {
		for name := range strings.SplitSeq(l.args[i+1], ",") {
			e.Changes = append(e.Changes, events.Change{Intent: events.Intent(l.args[i]), Item: p.item(name)})
		}
	}
	slices.SortFunc(e.Changes, func(a, b events.Change) int { return cmp.Compare(a.Item.ID, b.Item.ID) })
	return e
}

func (p *play) ticket(l line) {
	e := p.event(l, "/desk")
	as := l.opt("as", e.Ticket)
	a := p.send(p.front(), "desk", e.ID, e.Encode())
	p.answered(l, a)
	if a.ID != "" && a.ID != e.Ref().String() {
		p.fatalf("the id of the answer is %s, want %s", a.ID, e.Ref())
	}
	if a.code < 300 {
		p.sent[as] = sent{a.ID, e.Ticket}
	}
}

func (p *play) sendFile(l line) {
	body, ok := p.files[l.args[1]]
	source := map[string]string{"cloudevents": "desk", "servicenow": "servicenow"}[l.args[0]]
	if !ok || source == "" {
		p.fatalf("want cloudevents or servicenow, and a file")
	}
	a := p.send(p.front(), source, "delivery-1", body)
	p.answered(l, a)
	p.sent[l.opt("as", l.args[1])] = sent{id: a.ID}
}

// answered checks an answer: its code, its word and the field that it blames.
func (p *play) answered(l line, a reply) {
	want := l.want
	if len(want) == 0 {
		want = []string{"202"}
	}
	words := []string{strconv.Itoa(a.code), a.word(), a.Field}
	if len(want) > len(words) || !slices.Equal(want, words[:len(want)]) {
		p.fatalf("the answer is %v", a)
	}
	if a.code == http.StatusAccepted || a.Status == string(events.Duplicate) {
		if a.URL != "/v1/changes/"+a.ID || a.Duplicate == nil || *a.Duplicate != (a.code == http.StatusOK) {
			p.fatalf("the answer is %v", a)
		}
	}
	if a.code >= 400 && a.Reason == "" {
		p.fatalf("the answer has no reason: %v", a)
	}
}

func (p *play) publish(l line) {
	e := p.event(l, "/direct")
	data, isFile := p.files[l.args[2]]
	if !isFile {
		data = e.Encode()
	}
	if _, err := p.conn.Publish(context.Background(), e.Subject(), data); err != nil {
		p.fatalf("%v", err)
	}
	ticket := e.Ticket
	if isFile {
		ticket = "" // what is no event has none
	}
	p.sent[l.args[0]] = sent{e.Ref().String(), ticket}
}

// approvals has every change in the tenants need a second admin's approval.
func (p *play) approvals(line) {
	k := p.sim.Knobs()
	k.Approval = "documented"
	p.sim.Set(k)
}

// decide is a second admin's answer to the request that is open.
func (p *play) decide(l line) {
	for _, a := range p.sim.Approvals(uuid("acme")) {
		if a.Status == "needsApproval" {
			if err := p.sim.Decide(uuid("acme"), a.Code, l.args[0] == "approve"); err != nil {
				p.fatalf("%v", err)
			}
			return
		}
	}
	p.fatalf("no request is open: %+v", p.sim.Approvals(uuid("acme")))
}

// replay publishes the newest dead letter of an event once more.
func (p *play) replay(l line) {
	s, err := stream.Attach(context.Background(), natstest.Connect(p.t, p.broker.URL()), stream.Options{})
	if err != nil {
		p.fatalf("%v", err)
	}
	letters, err := s.Letters(context.Background(), events.DeadPrefix+">", 0, 100)
	if err != nil {
		p.fatalf("%v", err)
	}
	for _, d := range slices.Backward(letters) {
		e, err := d.Event(time.Now())
		if err != nil || e.Ticket != l.args[0] {
			continue
		}
		ref, _, err := s.Replay(context.Background(), e, d.Number)
		if err != nil {
			p.fatalf("%v", err)
		}
		p.sent[l.opt("as", e.Ticket)] = sent{ref.String(), e.Ticket}
		return
	}
	p.fatalf("there is no letter of it")
}

func (p *play) portal(l line) {
	device, items := p.id(l.args[1]), []graphsim.Item{}
	for _, name := range l.args[2:] {
		it := p.item(name)
		items = append(items, graphsim.Item{ID: it.ID, Type: string(it.Type)})
	}
	if l.args[0] == "remove" {
		p.sim.PortalRemove(uuid("acme"), device, items...)
		return
	}
	for _, it := range items {
		p.sim.PortalRestore(uuid("acme"), device, it.ID)
	}
}

// leads has a script's run lead to a device.
func (p *play) leads(l line) {
	p.sim.AddRunState(uuid("acme"), graphsim.RunState{Family: "deviceHealthScripts", Script: "8f1a", State: l.args[0], Device: p.id(l.args[1])})
}

func (p *play) remove(l line) {
	switch l.args[0] {
	case "item":
		p.sim.DeleteItem(uuid("acme"), p.item(l.args[1]).ID)
	case "device":
		p.sim.DeleteDevice(uuid("acme"), p.id(l.args[1]))
	default:
		p.fatalf("want item or device")
	}
}

func (p *play) fault(l line) {
	f := graphsim.Fault{Op: l.args[0], Code: l.opt("code", ""), Times: p.number(l.opt("times", "1")), Late: p.duration(l.opt("late", "0s"))}
	if s := l.opt("retry-after", ""); s != "" {
		f.Header = http.Header{"Retry-After": {s}}
	}
	for _, word := range l.args[1:] {
		switch word {
		case "after":
			f.Point = graphsim.AfterApply
		case "reset":
			f.Reset = true
		default:
			f.Status = p.number(word)
		}
	}
	p.heals = append(p.heals, p.sim.Fail(f))
}

func (p *play) heal(line) {
	for _, f := range p.heals {
		f()
	}
}

// A hold keeps one request in the cloud.
type hold struct {
	came chan struct{}
	goOn func()
}

func (r *rig) holdUp(op string) *hold {
	free := make(chan struct{})
	h := &hold{make(chan struct{}), sync.OnceFunc(func() { close(free) })}
	r.t.Cleanup(h.goOn)
	r.sim.Fail(graphsim.Fault{Op: op, Hook: func() { close(h.came); <-free }})
	return h
}

func (p *play) holdOp(l line) { p.held = p.holdUp(l.args[0]) }

func (p *play) heldUp(line) {
	await.State(p.t, "a call to be held up", func() bool {
		select {
		case <-p.held.came:
			return true
		default:
			return false
		}
	})
}

func (p *play) release(line) { p.held.goOn() }

// pass waits until what the relay has read of Graph is too old to build on.
func (p *play) pass(l line) {
	if l.args[0] != "fresh" {
		p.fatalf("want fresh")
	}
	until := time.Now().Add(short.Fresh + short.Lag + short.Skew)
	await.State(p.t, "the last read to be stale", func() bool { return time.Now().After(until) })
}
