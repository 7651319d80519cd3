package worker

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"changerelay/internal/events"
	"changerelay/internal/graphsim"
)

// A note is what the tests read of a line of the log.
type note struct {
	Stage, Op, Kind, Outcome, Device string
	Again                            time.Duration
	Err                              string
}

// notes are the lines about devices, by device.
type notes struct {
	mu  sync.Mutex
	all map[string][]note
}

func (ns *notes) Write(p []byte) (int, error) {
	var n note
	if err := json.Unmarshal(p, &n); err != nil || n.Device == "" {
		return len(p), nil
	}
	ns.mu.Lock()
	defer ns.mu.Unlock()
	if ns.all == nil {
		ns.all = map[string][]note{}
	}
	ns.all[n.Device] = append(ns.all[n.Device], n)
	return len(p), nil
}

func (ns *notes) of(device string) []note {
	ns.mu.Lock()
	defer ns.mu.Unlock()
	return slices.Clone(ns.all[device])
}

// A tee writes to several.
type tee []io.Writer

func (t tee) Write(p []byte) (int, error) {
	for _, w := range t {
		_, _ = w.Write(p)
	}
	return len(p), nil
}

// failed are the requests of the second ticket that failed, as "op kind".
func (m *matrix) failed(x *trial) (s []string) {
	for _, n := range m.notes.of(x.device)[x.mark:] {
		if n.Stage == "graph" && n.Kind != "ok" {
			s = append(s, n.Op+" "+n.Kind)
		}
	}
	return s
}

// wanted is what failed should be.
func (m *matrix) wanted(x *trial) (s []string) {
	if x.retry {
		s = append(s, map[string]string{"post": "post in_doubt", "get": "get unavailable", "token": x.via + " unavailable"}[x.op])
	}
	if x.kind != "ok" && x.kind != "" {
		s = append(s, x.via+" "+x.kind)
	}
	return s
}

// kinds wants just the failures of the row, and no call after one that left
// anything open but a read.
func (m *matrix) kinds(t *testing.T, x *trial) {
	t.Helper()
	got, want := m.failed(x), m.wanted(x)
	if x.how.lasts || x.ends.second == nil || x.op == "token" { // a held token fails what comes meanwhile
		got, want = slices.Compact(got), slices.Compact(want)
	}
	if x.how.unseen && x.retry && len(got) < len(want) {
		want = want[:len(got)]
	}
	if !slices.Equal(got, want) {
		t.Errorf("failed %q, want %q", got, want)
	}
	open := false
	for _, n := range m.notes.of(x.device) {
		if n.Stage != "graph" {
			continue
		}
		if open && n.Op == "post" {
			t.Error("called again without a look")
		}
		open = n.Op == "post" && (n.Kind == "in_doubt" || n.Kind == "throttled") || open && n.Kind != "ok"
	}
}

// again wants the word of the put-off, and its time.
func (m *matrix) again(t *testing.T, x *trial) {
	t.Helper()
	word, ok := map[string]events.Outcome{"in_doubt": events.InDoubt, "throttled": events.Throttled, "unavailable": events.Unavailable, "denied": events.Unavailable}[x.kind]
	if x.kind == "approval_required" && x.op == "get" {
		word, ok = events.Unavailable, true
	}
	if !ok {
		return
	}
	var words []string
	for _, n := range m.notes.of(x.device)[x.mark:] {
		if n.Stage != "reconcile" || n.Outcome != string(word) {
			continue
		}
		words = append(words, fmt.Sprint(n.Again))
		if x.again == nil || n.Again >= x.again[0]-time.Millisecond && n.Again <= x.again[1] {
			return
		}
	}
	t.Errorf("put back for %v as %s, want %v", words, word, x.again)
}

// calls sorts the POSTs of all simulators' journals by device.
func (m *matrix) calls() map[string]journal {
	by, read := map[string]journal{}, map[*graphsim.Sim]bool{}
	for _, x := range m.trials {
		if read[x.sim] {
			continue
		}
		read[x.sim] = true
		for _, c := range x.sim.Journal() {
			if c.Op == "post" {
				by[c.Device] = append(by[c.Device], c)
			}
		}
	}
	return by
}

// counts compares the second ticket's calls, and those that took effect, with
// the row.
func (m *matrix) counts(t *testing.T, x *trial) {
	t.Helper()
	posts := m.early[x.device][1:]
	calls, takes := x.calls, max(x.takes, 1)
	if x.retry && x.op == "post" {
		calls++
	}
	if x.ends.second == nil { // on a slow machine it is tried again after the pause
		takes += 2 * int(m.noted.Sub(x.sent)/(deniedMin/2))
	}
	applied := 0
	for _, c := range posts {
		if c.Applied {
			applied++
		}
	}
	if x.calls > 0 && len(posts) != calls || x.calls < 0 && len(posts) > 0 || applied > takes {
		t.Errorf("%d calls and %d took effect, want %d and at most %d", len(posts), applied, calls, takes)
	}
}

// whole counts the calls, and wants no two at once and none that leaves app A
// out. Where Graph restored or refused it, that is what it should do.
func (m *matrix) whole(t *testing.T, x *trial) {
	m.counts(t, x)
	posts := m.late[x.device]
	posts.sound(t)
	a := app(1).ID
	for _, c := range posts[1:] {
		if has := slices.ContainsFunc(c.Items, func(it graphsim.Item) bool { return it.ID == a }); !has && strings.Contains(x.ends.last, "A") && (c.Applied || x.ends.believed != "-") && x.how.ask == nil {
			t.Error("a call leaves out what an earlier ticket removed")
		}
	}
}

// story is what happened to the device.
func (m *matrix) story(x *trial) string {
	var b strings.Builder
	for i, n := range m.notes.of(x.device) {
		if i == x.mark {
			b.WriteString("second ticket:\n")
		}
		fmt.Fprintf(&b, "  %+v\n", n)
	}
	return b.String() + m.calls()[x.device].String()
}

// counted wants the metrics to say what the log says.
func (m *matrix) counted(t *testing.T) {
	n := map[string]int{}
	m.notes.mu.Lock()
	for _, of := range m.notes.all {
		for _, o := range of {
			if o.Stage == "graph" {
				n[fmt.Sprintf(`changerelay_graph_calls_total{kind=%q,op=%q} `, o.Kind, o.Op)]++
			}
		}
	}
	m.notes.mu.Unlock()
	text := m.scrape()
	for series, n := range n {
		if !strings.Contains(text, fmt.Sprint(series, n, "\n")) {
			t.Errorf("the metrics do not have %s%d", series, n)
		}
	}
}

func (m *matrix) scrape() string {
	w := httptest.NewRecorder()
	m.metrics.Admin(nil).ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	return w.Body.String()
}
