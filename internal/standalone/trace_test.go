package standalone

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/nats-io/nats.go"

	"changerelay/internal/await"
	"changerelay/internal/events"
	"changerelay/internal/graphsim"
	"changerelay/internal/relay"
	"changerelay/internal/tracetest"
	"changerelay/internal/tracing"
	"changerelay/internal/working"
)

// theirs is the trace of a sender or a publisher.
const (
	theirs      = "4bf92f3577b34da6a3ce929d0e0e4736"
	theirSpan   = "00f067aa0ba902b7"
	theirParent = "00-" + theirs + "-" + theirSpan + "-01"
)

// collected has a process send its traces to c.
func (r *rig) collected(c *tracetest.Collector, service string) func(*relay.Parts, *working.Parts) {
	return func(p *relay.Parts, w *working.Parts) {
		t, err := tracing.New(tracing.Config{Endpoint: c.URL, Sample: 1, Service: service, Log: p.Log,
			Headers: func() (http.Header, error) { return http.Header{"X-Collector-Key": {collectorKey}}, nil }})
		if err != nil {
			r.t.Fatal(err)
		}
		p.Tracer, w.Tracer = t, t
	}
}

// collectorKey is sent with each request to the collector.
const collectorKey = "key-of-the-collector-not-for-logs"

// shape draws a trace: names, children indented.
func shape(c *tracetest.Collector, trace string) string {
	var lines []string
	var below func(parent, indent string)
	below = func(parent, indent string) {
		for _, s := range c.Spans("") {
			if s.Trace == trace && s.Parent == parent {
				lines = append(lines, indent+s.Name)
				below(s.ID, indent+" ")
			}
		}
	}
	below("", "")
	if lines == nil { // it began with a publisher
		below(theirSpan, "")
	}
	return strings.Join(lines, "\n")
}

// one returns the only span of a name.
func one(t *testing.T, c *tracetest.Collector, name string) tracetest.Span {
	t.Helper()
	await.State(t, "a span "+name, func() bool { return len(c.Spans(name)) > 0 })
	list := c.Spans(name)
	if len(list) != 1 {
		t.Fatalf("%d spans %s: %+v", len(list), name, list)
	}
	return list[0]
}

// requestIDs are the client-request-ids that Graph was sent for a device.
func (r *rig) requestIDs(device string) (ids []string) {
	for _, c := range r.sim.Journal() {
		if c.Device == uuid(device) && !slices.Contains(ids, c.ClientRequestID) {
			ids = append(ids, c.ClientRequestID)
		}
	}
	return ids
}

func asUUID(trace string) string {
	return trace[:8] + "-" + trace[8:12] + "-" + trace[12:16] + "-" + trace[16:20] + "-" + trace[20:]
}

// A webhook is one trace, over two processes and the broker, up to Graph, which is
// told its id. The sender's own trace is linked.
func TestAWebhookIsOneTrace(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.tenant("acme", "a")
	c := tracetest.New(t)
	door, hand := r.start(relay.Ingest, r.collected(c, "changerelay-ingest")), r.start(relay.Worker, r.collected(c, "changerelay-worker"))
	r.ready(door)
	r.ready(hand)
	req := r.request(door.ingest, "desk", "1", change("1", "a", "app1"))
	req.Header.Set("traceparent", theirParent)
	a, err := r.do(req)
	if err != nil || a.code != http.StatusAccepted {
		t.Fatalf("%v, %v", a, err)
	}
	if got := r.outcome(door.ingest, a.ID); got.Outcome != "accepted" {
		t.Fatalf("%+v", got)
	}
	r.settled(r.js())
	door.stop()
	hand.stop()

	root := one(t, c, "POST /v1/changes")
	if got, want := shape(c, root.Trace), "POST /v1/changes\n publish\n  outcome\n  fold\n  reconcile\n   graph get\n   graph post"; got != want {
		t.Errorf("the trace is\n%s", c.Tree(root.Trace))
	}
	if ids := r.requestIDs("a"); len(ids) != 1 || ids[0] != asUUID(root.Trace) {
		t.Errorf("Graph was told %v, the trace is %s", ids, root.Trace)
	}
	if root.Kind != "server" || root.Trace == theirs || len(root.Links) != 1 || root.Links[0] != (tracetest.Link{Trace: theirs, ID: theirSpan}) || root.Service["service.name"] != "changerelay-ingest" {
		t.Errorf("the request: %+v", root)
	}
	for key, want := range map[string]string{"http.response.status_code": "202", "http.route": "/v1/changes", "source": "desk", "ticket": "CHG1", "outcome": "queued"} {
		if root.Attrs[key] != want {
			t.Errorf("the request's %s is %q", key, root.Attrs[key])
		}
	}
	post := one(t, c, "graph post")
	if post.Kind != "client" || post.Service["service.name"] != "changerelay-worker" || post.Attrs["tickets"] != "CHG1" || post.Attrs["kind"] != "ok" || post.Attrs["request"] == "" || len(post.Links) != 0 {
		t.Errorf("the call: %+v", post)
	}
	if end := one(t, c, "outcome"); end.Attrs["outcome"] != "accepted" || end.Attrs["request"] != post.Attrs["request"] || end.End.Before(root.Start) {
		t.Errorf("the outcome: %+v", end)
	}
	for _, line := range []string{`"msg":"request","request_id"`, `"msg":"fold"`, `"op":"get"`, `"op":"post"`, `"outcome":"accepted"`} {
		if !r.logged(line, `"trace":"`+root.Trace+`"`) {
			t.Errorf("no line with %s has the trace", line)
		}
	}
	if !r.logged(`"op":"post"`, `"tickets":["CHG1"]`) {
		t.Error("the line of the call does not name its ticket")
	}
	if r.logged("spans were dropped") {
		t.Error("spans were dropped")
	}
}

// Twenty events become one call: it has a trace of its own, with a link to each of
// theirs, and each of theirs ends with a link to it.
func TestTwentyEventsAreOneCallWithLinks(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.tenant("acme", "a")
	c := tracetest.New(t)
	door := r.start(relay.Ingest, r.collected(c, "changerelay-ingest"))
	r.ready(door)
	var last reply
	for i := range 20 {
		n := fmt.Sprint(i)
		if last = r.send(door.ingest, "desk", n, change(n, "a", "app"+n)); last.code != http.StatusAccepted {
			t.Fatal(last)
		}
	}
	hand := r.start(relay.Worker, r.collected(c, "changerelay-worker"))
	r.outcome(door.ingest, last.ID)
	r.settled(r.js())
	door.stop()
	hand.stop()

	traces := map[string]bool{}
	for _, s := range c.Spans("POST /v1/changes") {
		traces[s.Trace] = true
	}
	call, visit, fold := one(t, c, "graph post"), c.Spans("reconcile")[0], one(t, c, "fold")
	for name, s := range map[string]tracetest.Span{"the call": call, "the visit": visit, "the fold": fold} {
		linked := map[string]bool{}
		for _, l := range s.Links {
			linked[l.Trace] = traces[l.Trace]
		}
		if len(linked) != 20 || traces[s.Trace] || len(traces) != 20 {
			t.Errorf("%s has %d links, %d to the events' traces", name, len(s.Links), len(linked))
		}
	}
	if call.Trace != visit.Trace || fold.Parent != "" || call.Attrs["events"] != "20" || len(strings.Fields(call.Attrs["tickets"])) != tracing.MaxTickets {
		t.Errorf("the call: %+v", call)
	}
	for _, id := range r.requestIDs("a") {
		if id != asUUID(call.Trace) {
			t.Errorf("Graph was told %s, the trace is %s", id, call.Trace)
		}
	}
	ends := c.Spans("outcome")
	for _, s := range ends {
		if len(s.Links) != 1 || s.Links[0].Trace != call.Trace || !traces[s.Trace] || s.Attrs["outcome"] != "accepted" {
			t.Errorf("an event's end: %+v", s)
		}
	}
	if len(ends) != 20 {
		t.Errorf("%d events have an end", len(ends))
	}
}

// Who publishes to the broker has its trace go on, if it is sampled there; without
// a traceparent it begins when the broker took the event. A stranger's is nothing.
func TestOthersTraces(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.tenant("acme", "a", "b", "c")
	c := tracetest.New(t)
	p := r.start(relay.Ingest|relay.Worker, r.collected(c, "changerelay-standalone"))
	r.ready(p)
	js := r.js()
	for device, parent := range map[string]string{"a": theirParent, "b": "", "c": theirParent[:53] + "00"} {
		e, err := events.Parse(change(device, device, "app1"), approved)
		if err != nil {
			t.Fatal(err)
		}
		m := &nats.Msg{Subject: e.Subject(), Data: e.Encode(), Header: nats.Header{}}
		if parent != "" {
			m.Header.Set("Traceparent", parent)
		}
		if _, err := js.PublishMsg(context.Background(), m); err != nil {
			t.Fatal(err)
		}
		r.outcome(p.ingest, e.Ref().String())
	}
	req := r.unsigned(p.ingest+"/v1/changes", http.Header{"Traceparent": {theirParent}}, change("9", "a", "app1"))
	if a, err := r.do(req); err != nil || a.code != http.StatusUnauthorized {
		t.Fatalf("%v, %v", a, err)
	}
	r.settled(js)
	p.stop()

	if ids := r.requestIDs("a"); len(ids) != 1 || ids[0] != asUUID(theirs) {
		t.Errorf("of a traced event Graph was told %v:\n%s", ids, c.Tree(theirs))
	}
	begun := one(t, c, "accepted")
	if ids := r.requestIDs("b"); begun.Parent != "" || begun.Attrs["ticket"] != "CHGb" || len(ids) != 1 || ids[0] != asUUID(begun.Trace) {
		t.Errorf("of one without a trace Graph was told %v:\n%s", ids, c.Tree(begun.Trace))
	}
	if got, want := shape(c, theirs), "outcome\nfold\nreconcile\n graph get\n graph post"; sorted(got) != sorted(want) {
		t.Errorf("their trace is\n%s", got)
	}
	ids := r.requestIDs("c")
	for _, id := range ids {
		if len(c.Tree(strings.ReplaceAll(id, "-", ""))) > 0 || id == asUUID(theirs) {
			t.Errorf("one that is not sampled is traced as %s", id)
		}
	}
	if len(ids) < 2 {
		t.Errorf("requests without a trace share their id: %v", ids)
	}
	if s := one(t, c, "POST /v1/changes"); len(s.Links) != 0 || s.Trace == theirs || s.Attrs["http.response.status_code"] != "401" || s.Attrs["ticket"] != "" {
		t.Errorf("a stranger's request: %+v", s)
	}
}

func sorted(s string) string {
	lines := strings.Split(s, "\n")
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// An event whose device only Graph knows is one trace, too.
func TestATargetIsOneTrace(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.tenant("acme", "a")
	r.sim.AddRunState(uuid("acme"), graphsim.RunState{Family: "deviceHealthScripts", Script: "8f1a", State: "77", Device: uuid("a")})
	c := tracetest.New(t)
	p := r.start(relay.Ingest|relay.Worker, r.collected(c, "changerelay-standalone"))
	r.ready(p)
	e, err := events.Parse(change("1", "a", "app1"), approved)
	if err != nil {
		t.Fatal(err)
	}
	e.Device, e.Target = "", "deviceHealthScripts/8f1a/deviceRunStates/77/managedDevice"
	a := r.send(p.ingest, "desk", "1", e.Encode())
	if got := r.outcome(p.ingest, a.ID); got.Outcome != "accepted" {
		t.Fatalf("%+v", got)
	}
	r.settled(r.js())
	p.stop()
	root := one(t, c, "POST /v1/changes")
	want := "POST /v1/changes\n publish\n  resolve\n   graph find\n   publish\n    fold\n    outcome\n    reconcile\n     graph find\n     graph get\n     graph post"
	if got := shape(c, root.Trace); sorted(got) != sorted(want) {
		t.Errorf("the trace is\n%s", c.Tree(root.Trace))
	}
	if ids := r.requestIDs("a"); len(ids) != 1 || ids[0] != asUUID(root.Trace) {
		t.Errorf("Graph was told %v, the trace is %s", ids, root.Trace)
	}
}

// Without a tracer no message has a header, and each request its own id.
func TestNoTraceWithoutATracer(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.tenant("acme", "a")
	p := r.start(relay.Ingest | relay.Worker)
	r.ready(p)
	req := r.request(p.ingest, "desk", "1", change("1", "a", "app1"))
	req.Header.Set("traceparent", theirParent)
	a, err := r.do(req)
	if err != nil {
		t.Fatal(err)
	}
	r.outcome(p.ingest, a.ID)
	js := r.js()
	r.settled(js)
	s, err := js.Stream(context.Background(), "CHANGES")
	if err != nil {
		t.Fatal(err)
	}
	m, err := s.GetMsg(context.Background(), 1)
	if err != nil || m.Header["traceparent"] != nil {
		t.Errorf("%v, headers %v", err, m.Header)
	}
	if ids := r.requestIDs("a"); len(ids) < 2 || r.logged(`"trace"`) {
		t.Errorf("Graph was told %v", ids)
	}
}
