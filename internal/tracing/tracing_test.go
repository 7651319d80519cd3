package tracing

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"changerelay/internal/await"
	"changerelay/internal/tracetest"
)

// begin returns a tracer that sends to a collector until the test ends.
func begin(t *testing.T, change ...func(*Config)) (*Tracer, *tracetest.Collector, *await.Log) {
	t.Helper()
	c, log := tracetest.New(t), &await.Log{}
	conf := Config{Endpoint: c.URL, Sample: 1, Service: "changerelay-test", Version: "v1", Log: slog.New(slog.NewTextHandler(log, nil))}
	for _, f := range change {
		f(&conf)
	}
	tr, err := New(conf)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(tr.Close)
	return tr, c, log
}

func TestATraceIsDelivered(t *testing.T) {
	t.Setenv("OTEL_RESOURCE_ATTRIBUTES", "k8s.pod.name=relay-0,service.name=not-this")
	t.Setenv("OTEL_SERVICE_NAME", "nor-this")
	t.Setenv("OTEL_EXPORTER_OTLP_HEADERS", "authorization=not-sent")
	t.Setenv("OTEL_TRACES_SAMPLER", "always_off")
	tr, c, _ := begin(t, func(c *Config) {
		c.Headers = func() (http.Header, error) { return http.Header{"X-Key": {"sesame"}}, nil }
	})
	at := time.Now().Add(-time.Hour)
	ctx, root := tr.Root(t.Context(), "POST", Server, at)
	h := map[string][]string{}
	Inject(ctx, h)
	_, part := Start(ctx, "publish", Producer)
	part.Text("ticket", "CHG1")
	part.Texts("tickets", []string{"a", "b"})
	part.Count("items", 3)
	part.Fail("unavailable")
	part.End()
	root.Name("POST /v1/changes")
	root.End()
	parent, known := Extract(h)
	ctx, fold := tr.Join(context.Background(), "fold", Consumer, time.Now(), "", parent, parent)
	fold.End()
	if id := ID(ctx); id != root.ID() || len(id) != 32 || !known || IDOf(parent) != id || RequestID(ctx) != id[:8]+"-"+id[8:12]+"-"+id[12:16]+"-"+id[16:20]+"-"+id[20:] {
		t.Errorf("the trace is %q and %q, for Graph %q", id, root.ID(), RequestID(ctx))
	}
	tr.Close()

	got := c.Spans("")
	if len(got) != 3 {
		t.Fatalf("spans: %+v", got)
	}
	p, f := c.Spans("publish")[0], c.Spans("fold")[0]
	if r := got[0]; r.Name != "POST /v1/changes" || r.Kind != "server" || r.Parent != "" || !r.Start.Equal(time.Unix(0, at.UnixNano())) ||
		r.Service["service.name"] != "changerelay-test" || r.Service["service.version"] != "v1" || r.Service["k8s.pod.name"] != "relay-0" || p.Parent != r.ID || f.Parent != r.ID || f.Trace != r.Trace {
		t.Errorf("the tree is\n%s", c.Tree(r.Trace))
	}
	if p.Failed != "unavailable" || p.Kind != "producer" || p.Attrs["ticket"] != "CHG1" || p.Attrs["tickets"] != "a b" || p.Attrs["items"] != "3" || p.Attrs["error.type"] != "unavailable" {
		t.Errorf("publish: %+v", p)
	}
	if h := c.Headers()[0]; h.Get("X-Key") != "sesame" || h.Get("Authorization") != "" {
		t.Errorf("the headers are %v", h)
	}
}

// Several events become one unit of work: a trace of its own, which is kept
// whatever the part, with a link to each of theirs.
func TestJoinOfMany(t *testing.T) {
	tr, c, _ := begin(t)
	none, _, _ := begin(t, func(conf *Config) { conf.Endpoint, conf.Sample = c.URL, 0 })
	var from []string
	for range MaxLinks + 6 {
		_, s := tr.Root(t.Context(), "event", Server, time.Now())
		s.End()
		from = append(from, s.Parent(), "", s.Parent())
	}
	ctx, s := none.Join(t.Context(), "fold", Consumer, time.Now(), from...)
	_, call := Start(ctx, "call", Client)
	call.Link(from[0])
	call.Link(s.Parent()) // of its own trace
	call.Link("nonsense")
	call.End()
	s.End()
	none.Close()
	fold := c.Spans("fold")[0]
	if fold.Parent != "" || len(fold.Links) != MaxLinks || fold.Trace == IDOf(from[0]) {
		t.Errorf("fold: %+v", fold)
	}
	seen := map[string]bool{}
	for i, l := range fold.Links {
		seen[l.Trace] = true
		if l.Trace != IDOf(from[3*i]) || !strings.Contains(from[3*i], l.ID) {
			t.Errorf("link %d is %v, want %s", i, l, from[3*i])
		}
	}
	if got := c.Spans("call")[0]; len(got.Links) != 1 || len(seen) != MaxLinks || got.Trace != fold.Trace {
		t.Errorf("call: %+v, %d links", got, len(seen))
	}
}

// Who samples: we do, of what was begun here and elsewhere; what is not sampled is
// told on, and begins nowhere anew.
func TestSampling(t *testing.T) {
	all, c, _ := begin(t)
	none, _, _ := begin(t, func(conf *Config) { conf.Endpoint, conf.Sample = c.URL, 0 })
	theirs := "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
	for name, c := range map[string]struct {
		by   *Tracer
		from string
		want bool
	}{
		"theirs, kept by us":     {all, theirs, true},
		"theirs, not kept by us": {none, theirs, false},
		"not kept by them":       {all, strings.TrimSuffix(theirs, "1") + "0", false},
	} {
		ctx, s := c.by.Join(t.Context(), "fold", Consumer, time.Now(), c.from)
		if s.On() != c.want || (ID(ctx) != "") != c.want || (s.Parent() != "") != c.want || (RequestID(ctx) != "") != c.want {
			t.Errorf("%s: on %t, id %q", name, s.On(), ID(ctx))
		}
	}
	ctx, s := none.Root(t.Context(), "POST", Server, time.Now())
	h := map[string][]string{}
	Inject(ctx, h)
	parent, known := Extract(h)
	if s.On() || s.ID() != "" || !known || parent != "" || !strings.HasSuffix(h[Header][0], "-00") {
		t.Errorf("not sampled: %v, %q, %t", h, parent, known)
	}
	half, _, _ := begin(t, func(conf *Config) { conf.Endpoint, conf.Sample = c.URL, .5 })
	kept := 0
	for range 1000 {
		ctx, s := half.Root(t.Context(), "POST", Server, time.Now())
		h := map[string][]string{}
		Inject(ctx, h)
		parent, _ := Extract(h)
		if _, there := half.Join(context.Background(), "fold", Consumer, time.Now(), parent); there.On() != s.On() {
			t.Fatal("two processes of one configuration keep different traces")
		}
		if s.On() {
			kept++
		}
	}
	if kept < 400 || kept > 600 {
		t.Errorf("of 1000 traces %d are kept", kept)
	}
}

// Off, nothing is written and nothing is allocated.
func TestOffCostsNothing(t *testing.T) {
	var off *Tracer
	defer off.Close()
	ctx, now, h, from := context.Background(), time.Now(), map[string][]string{}, []string{"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"}
	n := testing.AllocsPerRun(1000, func() {
		ctx, root := off.Root(ctx, "POST", Server, now)
		ctx, part := Start(root.In(ctx), "publish", Producer)
		Inject(ctx, h)
		_, fold := off.Join(ctx, "fold", Consumer, now, from...)
		fold.Text("ticket", "CHG1")
		fold.Count("n", 1)
		fold.Link(from[0])
		fold.Fail("no")
		if ID(ctx)+root.ID()+fold.Parent()+RequestID(ctx) != "" || Current(ctx).On() {
			t.Error("it is on")
		}
		fold.End()
		part.EndAt(now)
		root.End()
	})
	if n != 0 || len(h) != 0 {
		t.Errorf("%v allocations, headers %v", n, h)
	}
}

func BenchmarkOff(b *testing.B) {
	ctx := context.Background()
	b.ReportAllocs()
	for b.Loop() {
		c, s := Start(ctx, "publish", Producer)
		s.Text("ticket", "CHG1")
		Inject(c, nil)
		s.End()
	}
}

func BenchmarkOn(b *testing.B) {
	tr, err := New(Config{Endpoint: "http://127.0.0.1:1", Sample: 1})
	if err != nil {
		b.Fatal(err)
	}
	defer tr.Close()
	b.ReportAllocs()
	for b.Loop() {
		ctx, root := tr.Root(b.Context(), "POST", Server, time.Now())
		_, s := Start(ctx, "publish", Producer)
		s.Text("ticket", "CHG1")
		s.End()
		root.End()
	}
}
