package graphsim_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"changerelay/internal/graphsim"
)

const (
	tenantID = "11111111-1111-4111-8111-111111111111"
	clientID = "22222222-2222-4222-8222-222222222222"
	phone    = "33333333-3333-4333-8333-333333333333"
	offline  = "44444444-4444-4444-8444-444444444444"
	appA     = "aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa"
	appB     = "bbbbbbbb-bbbb-4bbb-8bbb-bbbbbbbbbbbb"
	appC     = "cccccccc-cccc-4ccc-8ccc-cccccccccccc"
)

// noon is where the wall clock of every test stands still; Sim.Advance moves on from it.
var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

type rig struct {
	*graphsim.Sim
	t      *testing.T
	client *http.Client
	token  string
}

func newRig(t *testing.T, o graphsim.Options) *rig {
	t.Helper()
	if o.Now == nil {
		o.Now = func() time.Time { return noon }
	}
	s, err := graphsim.New(o)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	client := newClient(t, s, true)
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	s.AddTenant(graphsim.Tenant{ID: tenantID, ClientID: clientID, ClientSecret: "s3cret"},
		graphsim.Device{ID: phone, Name: "phone", Platform: "iOS"},
		graphsim.Device{ID: offline, Name: "drawer", Platform: "AndroidEnterprise", Offline: true})
	r := &rig{Sim: s, t: t, client: client}
	r.token = r.login(clientID, "s3cret")
	return r
}

func newClient(t *testing.T, s *graphsim.Sim, http2 bool) *http.Client {
	t.Helper()
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(s.CA()) {
		t.Fatal("no CA")
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, ForceAttemptHTTP2: http2}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

func (r *rig) form(id, secret string) url.Values {
	return url.Values{"client_id": {id}, "client_secret": {secret}, "grant_type": {"client_credentials"},
		"scope": {r.URL() + "/.default openid offline_access profile"}}
}

func (r *rig) askToken(tenant string, f url.Values) (int, map[string]any) {
	r.t.Helper()
	resp, err := r.client.PostForm(r.URL()+"/"+tenant+"/oauth2/v2.0/token", f)
	if err != nil {
		r.t.Fatal(err)
	}
	defer resp.Body.Close()
	var out map[string]any
	if err := json.NewDecoder(resp.Body).Decode(&out); err != nil {
		r.t.Fatal(err)
	}
	return resp.StatusCode, out
}

func (r *rig) login(id, secret string) string {
	r.t.Helper()
	status, out := r.askToken(tenantID, r.form(id, secret))
	if status != 200 {
		r.t.Fatalf("token: %d %v", status, out)
	}
	return out["access_token"].(string)
}

type answer struct {
	status int
	header http.Header
	body   string
}

func (a answer) code(t *testing.T) (code, message string) {
	t.Helper()
	var e struct {
		Error struct {
			Code, Message string
			InnerError    map[string]string
		}
	}
	if err := json.Unmarshal([]byte(a.body), &e); err != nil {
		t.Fatalf("%v in %q", err, a.body)
	}
	if e.Error.InnerError["request-id"] != a.header.Get("request-id") {
		t.Errorf("innerError %v does not name request %s", e.Error.InnerError, a.header.Get("request-id"))
	}
	return e.Error.Code, e.Error.Message
}

func (r *rig) do(ctx context.Context, method, path, body string) (answer, error) {
	req, err := http.NewRequestWithContext(ctx, method, r.URL()+path, bytes.NewReader([]byte(body)))
	if err != nil {
		return answer{}, err
	}
	req.Header.Set("Authorization", "Bearer "+r.token)
	req.Header.Set("Content-Type", "application/json; charset=utf-8")
	return r.send(req)
}

func (r *rig) send(req *http.Request) (answer, error) {
	resp, err := r.client.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	return answer{resp.StatusCode, resp.Header, string(b)}, err
}

func (r *rig) must(method, path, body string) answer {
	r.t.Helper()
	a, err := r.do(context.Background(), method, path, body)
	if err != nil {
		r.t.Fatal(err)
	}
	return a
}

func action(device string) string {
	return "/beta/deviceManagement/managedDevices/" + device + "/changeAssignments"
}

func setOf(ids ...string) string {
	items := []string{}
	for _, id := range ids {
		items = append(items, fmt.Sprintf(`{"itemId":%q,"itemType":"application"}`, id))
	}
	return `{"deviceAssignmentItems":[` + strings.Join(items, ",") + `]}`
}

func (r *rig) post(device string, ids ...string) {
	r.t.Helper()
	if a := r.must("POST", action(device), setOf(ids...)); a.status != 204 || a.body != "" {
		r.t.Fatalf("post: %+v", a)
	}
}

// held is the set as "a b c", by the first letter of the ids.
func (r *rig) held(device string) string {
	var out []string
	for _, it := range r.Held(tenantID, device) {
		out = append(out, it.ID[:1])
	}
	return strings.Join(out, " ")
}

// listed is what a read shows: "a:remove/removed b:restore/initiated".
func (r *rig) listed(device string) string {
	r.t.Helper()
	a := r.must("GET", "/beta/deviceManagement/managedDevices/"+device+"?$select=id,deviceActionResults", "")
	var out struct {
		DeviceActionResults []struct {
			Type  string `json:"@odata.type"`
			Items []struct {
				ItemID string `json:"itemId"`
				Intent string `json:"assignmentItemActionIntent"`
				Status string `json:"assignmentItemActionStatus"`
			} `json:"deviceAssignmentItems"`
		} `json:"deviceActionResults"`
	}
	if err := json.Unmarshal([]byte(a.body), &out); err != nil || a.status != 200 {
		r.t.Fatalf("get: %v %+v", err, a)
	}
	if len(out.DeviceActionResults) == 0 {
		return "nothing"
	}
	var s []string
	for _, it := range out.DeviceActionResults[0].Items {
		s = append(s, it.ItemID[:1]+":"+it.Intent+"/"+it.Status)
	}
	return strings.Join(s, " ")
}

func (r *rig) last() graphsim.Call {
	j := r.Journal()
	return j[len(j)-1]
}

func want[T comparable](t *testing.T, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

// gate is a hook that says when it is reached, and stays until it is let go.
type gate struct {
	reached, release chan struct{}
	once             sync.Once
}

func newGate() *gate { return &gate{reached: make(chan struct{}), release: make(chan struct{})} }

func (g *gate) hook() {
	g.once.Do(func() { close(g.reached) })
	<-g.release
}

func line(a ...any) string { return strings.TrimSpace(fmt.Sprintln(a...)) }

// await waits for a state, busily: what it waits for is a matter of microseconds.
func await(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for limit := time.Now().Add(10 * time.Second); !ok(); runtime.Gosched() {
		if time.Now().After(limit) {
			t.Fatal("waited in vain: ", what)
		}
	}
}
