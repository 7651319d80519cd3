package trial

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"changerelay/internal/proof"
)

// A graph is the simulated Graph, driven by its admin API as a person would.
type graph struct {
	process
	addr, admin, ca string
	tenants         []tenant
	secrets         map[string]string // by the tenant's name; the nemesis' alone
}

// A tenant is an Entra tenant; cursed is an item that has been deleted in Intune, so
// that Graph refuses each set with it.
type tenant struct {
	name, id, client string
	devices          []string
}

// Items that tickets speak of; cursed ones are refused.
var items = []string{uuid(9, 1), uuid(9, 2), uuid(9, 3), uuid(9, 4), uuid(9, 5), uuid(9, 6)}

var cursed = uuid(9, 66)

func uuid(kind, n int) string { return fmt.Sprintf("%08x-0000-4000-8000-%012x", kind, n) }

func (t *trial) startGraph(ctx context.Context) error {
	ports, err := freePorts(2)
	if err != nil {
		return err
	}
	g := &graph{addr: fmt.Sprintf("127.0.0.1:%d", ports[0]), admin: fmt.Sprintf("127.0.0.1:%d", ports[1]), ca: t.path("graph-ca.pem"), secrets: map[string]string{}}
	var scenario strings.Builder
	fmt.Fprintf(&scenario, "seed: %d\nknobs: {check_in: 0s, show_lag: 500ms, post_limit_app: %d, window: %s}\ntenants:\n", max(t.Seed, 1), t.history.Limits.Calls, t.history.Limits.Window)
	for i := range t.Tenants {
		one := tenant{name: fmt.Sprintf("t%d", i), id: uuid(1, i+1), client: uuid(2, i+1)}
		g.secrets[one.name] = fmt.Sprintf("trial-secret-0-of-%s", one.name)
		fmt.Fprintf(&scenario, "  - id: %s\n    apps: [{client_id: %s, client_secret: %s}]\n    devices:\n", one.id, one.client, g.secrets[one.name])
		for j := range t.Devices {
			d := uuid(3+i, j+1)
			one.devices = append(one.devices, d)
			fmt.Fprintf(&scenario, "      - {id: %s, platform: iOS}\n", d)
		}
		g.tenants = append(g.tenants, one)
	}
	if err := os.WriteFile(t.path("scenario.yaml"), []byte(scenario.String()), 0o600); err != nil {
		return err
	}
	g.name, g.bin, g.log = "graphsim", t.bin["graphsim"], t.path("graphsim.log")
	g.args = []string{"--scenario", t.path("scenario.yaml"), "--listen", g.addr, "--admin", g.admin, "--ca", g.ca, "--journal", "2000000"}
	t.graph = g
	if err := g.start(); err != nil {
		return err
	}
	err = t.until(ctx, "graphsim", readyFor, func() bool { return g.ask(ctx, "GET", "/clock", nil, nil) == nil })
	if err != nil {
		return fmt.Errorf("%w\n%s", err, g.tail())
	}
	for _, one := range g.tenants {
		if err := g.ask(ctx, "DELETE", "/tenants/"+one.id+"/items/"+cursed, nil, nil); err != nil {
			return err
		}
	}
	return nil
}

func (g *graph) close() {
	if g.cmd != nil {
		g.kill()
	}
}

// ask makes a request of the admin API.
func (g *graph) ask(ctx context.Context, method, path string, in, out any) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	var body io.Reader
	if in != nil {
		data, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(data)
	}
	r, err := http.NewRequestWithContext(ctx, method, "http://"+g.admin+path, body)
	if err != nil {
		return err
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	data, err := io.ReadAll(res.Body)
	if err != nil {
		return err
	}
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("graphsim: %s %s: %s: %s", method, path, res.Status, data)
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(data, out)
}

// tenantOf is a tenant's name in the relay, by its id.
func (g *graph) tenantOf(id string) string {
	for _, one := range g.tenants {
		if one.id == id {
			return one.name
		}
	}
	return id
}

// journal appends the calls after the n-th to what is known, and returns the last
// number. Calls that were in flight when they were read are in again.
func (g *graph) journal(ctx context.Context) (calls []proof.Call, portal []proof.Call, err error) {
	for n := 0; ; {
		var page []struct {
			N                  int
			At, Done           time.Time
			Op, Tenant, Device string
			Items              []struct{ ID string }
			Status, Order      int
			Applied            bool
			AppliedAt          time.Time `json:"applied_at"`
		}
		if err := g.ask(ctx, "GET", fmt.Sprintf("/journal?after=%d&limit=1000", n), nil, &page); err != nil {
			return nil, nil, err
		}
		if len(page) == 0 {
			return calls, portal, nil
		}
		for _, c := range page {
			n = c.N
			if c.Device == "" || c.Op == "token" {
				continue
			}
			call := proof.Call{N: c.N, At: c.At, Done: c.Done, Device: proof.Device{Tenant: g.tenantOf(c.Tenant), ID: c.Device}, Post: c.Op == "post",
				Status: c.Status, Applied: c.Applied, AppliedAt: c.AppliedAt, Order: c.Order}
			// Nobody waits for it: who asked has hung up, or is stopped and will find its time over.
			call.Late = c.Applied && (c.Status == 0 || c.AppliedAt.After(c.Done) || c.AppliedAt.Sub(c.At) > budget)
			for _, i := range c.Items {
				call.Set = append(call.Set, i.ID)
			}
			if c.Op == "portal" {
				portal = append(portal, call)
			} else {
				calls = append(calls, call)
			}
		}
	}
}

// held is what Graph has under removal for a device.
func (g *graph) held(ctx context.Context, one tenant, device string) (h proof.Holding, err error) {
	var state struct {
		Items []struct{ ID, Intent string }
	}
	if err = g.ask(ctx, "GET", "/tenants/"+one.id+"/devices/"+device, nil, &state); err != nil {
		return h, err
	}
	h.Device = proof.Device{Tenant: one.name, ID: device}
	for _, i := range state.Items {
		if i.Intent == "remove" {
			h.Removed = append(h.Removed, i.ID)
		}
	}
	return h, nil
}
