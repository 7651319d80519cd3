package graph_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"text/tabwriter"
	"time"

	"changerelay/internal/graph"
)

// How long a real tenant may take to show a set, and how often it is asked.
const (
	liveShows = 2 * time.Minute
	livePolls = 5 * time.Second
)

// live are the variables of docs/graph-live.md.
type live struct{ tenant, client, secretFile, device, items, cloud, confirm string }

func liveVariables() live {
	v := func(name string) string { return os.Getenv("GRAPH_LIVE_" + name) }
	return live{v("TENANT"), v("CLIENT_ID"), v("SECRET_FILE"), v("DEVICE"), v("ITEMS"), v("CLOUD"), v("CONFIRM")}
}

// check says why the cases must not run.
func (l live) check() error {
	for name, value := range map[string]string{"CLIENT_ID": l.client, "SECRET_FILE": l.secretFile, "DEVICE": l.device, "ITEMS": l.items} {
		if value == "" {
			return fmt.Errorf("GRAPH_LIVE_%s is not set; see docs/graph-live.md", name)
		}
	}
	if l.confirm != l.device {
		return fmt.Errorf("GRAPH_LIVE_CONFIRM is not GRAPH_LIVE_DEVICE: the cases take items off that device; set it if this is meant")
	}
	if _, err := l.set(); err != nil {
		return err
	}
	if _, ok := graph.Clouds[l.name()]; !ok {
		return fmt.Errorf("GRAPH_LIVE_CLOUD is none of global, usgov, dod and china")
	}
	return nil
}

func (l live) name() string {
	if l.cloud == "" {
		return "global"
	}
	return l.cloud
}

// set is what GRAPH_LIVE_ITEMS names, as type:id,type:id.
func (l live) set() (set []graph.Item, err error) {
	for part := range strings.SplitSeq(l.items, ",") {
		kind, id, ok := strings.Cut(strings.TrimSpace(part), ":")
		if !ok || kind == "" || id == "" {
			return nil, fmt.Errorf("GRAPH_LIVE_ITEMS wants type:id, or several with commas")
		}
		set = append(set, graph.Item{ID: id, Type: kind})
	}
	return set, nil
}

func TestContractLive(t *testing.T) {
	l := liveVariables()
	if l.tenant == "" {
		t.Skip("GRAPH_LIVE_TENANT is not set; see docs/graph-live.md")
	}
	if err := l.check(); err != nil {
		t.Fatal(err)
	}
	items, _ := l.set()
	x := &target{t: t, wire: &wire{base: graph.NewTransport()}, device: l.device, items: items}
	var err error
	x.client, err = graph.New(graph.Config{TenantID: l.tenant, ClientID: l.client, Cloud: graph.Clouds[l.name()], Transport: x.wire,
		Credential: graph.Credential{Secret: func() (string, error) { b, err := os.ReadFile(l.secretFile); return strings.TrimSpace(string(b)), err }}})
	if err != nil {
		t.Fatal(err)
	}
	x.settle = func(seen func() bool) bool {
		ctx, cancel := context.WithTimeout(x.t.Context(), liveShows)
		defer cancel()
		return within(ctx, livePolls, seen)
	}
	found := x.read()
	defer x.putBack(found)
	answers := &strings.Builder{}
	table := tabwriter.NewWriter(answers, 0, 0, 2, ' ', 0)
	x.note = func(q, a string) { fmt.Fprintf(table, "%s\t%s\n", q, a) }
	x.runAll(t)
	_ = table.Flush()
	t.Logf("what %s answers, %s:\n%s", l.name(), time.Now().UTC().Format(time.DateOnly), answers)
}

// putBack tells the device the set that was found. The context of a test that
// has failed may have ended, so it has its own.
func (x *target) putBack(found graph.Result) {
	ctx, cancel := context.WithTimeout(context.Background(), graph.CallTimeout)
	defer cancel()
	if _, err := x.client.ChangeAssignments(ctx, graph.ManagedDevice(x.device), found.Removed, time.Time{}, graph.Consent{}); err != nil {
		x.t.Errorf("the device has NOT got back the set that was found, %v: %v", found.Removed, err)
	}
}

func TestLiveRefusesToRunByAccident(t *testing.T) {
	good := live{"t", "c", "f", "d", "application:a,deviceConfiguration:b", "", "d"}
	if err := good.check(); err != nil {
		t.Fatal(err)
	}
	for want, spoil := range map[string]func(*live){
		"CLIENT_ID is not set":   func(l *live) { l.client = "" },
		"SECRET_FILE is not set": func(l *live) { l.secretFile = "" },
		"DEVICE is not set":      func(l *live) { l.device = "" },
		"ITEMS is not set":       func(l *live) { l.items = "" },
		"ITEMS wants":            func(l *live) { l.items = "a" },
		"CONFIRM is not":         func(l *live) { l.confirm = "yes" },
		"CONFIRM":                func(l *live) { l.confirm = "" },
		"CLOUD is none":          func(l *live) { l.cloud = "moon" },
	} {
		l := good
		spoil(&l)
		if err := l.check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one about %q", err, want)
		}
	}
}
