package control

import (
	"crypto/tls"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"changerelay/internal/graphsim"
)

const (
	tenant = "11111111-1111-4111-8111-111111111111"
	phone  = "33333333-3333-4333-8333-333333333333"
)

type rig struct {
	t   *testing.T
	sim *graphsim.Sim
	h   http.Handler
}

func newRig(t *testing.T) *rig {
	t.Helper()
	noon := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	sim, err := graphsim.New(graphsim.Options{Now: func() time.Time { return noon }})
	if err != nil {
		t.Fatal(err)
	}
	v, err := ParseJSON([]byte(fmt.Sprintf(`{"tenants":[{"id":%q,"apps":[{"client_id":"app","client_secret":"s"}],
		"devices":[{"id":%q,"name":"phone","items":[{"id":"a"}],"fates":[{"item":"z","code":5}]}],"deleted_items":["gone"]}],
		"knobs":{"token_life":"2h"},"faults":[{"op":"token","status":503,"times":-1}]}`, tenant, phone)))
	if err != nil {
		t.Fatal(err)
	}
	sc, err := Load(v, nil)
	if err != nil {
		t.Fatal(err)
	}
	sc.Apply(sim)
	return &rig{t, sim, Handler(sim, func() { sim.Reset(); sc.Apply(sim) })}
}

// ask is a request and its answer, as "200 {…}".
func (r *rig) ask(request, body string) string {
	r.t.Helper()
	method, path, _ := strings.Cut(request, " ")
	req := httptest.NewRequest(method, "http://127.0.0.1:8444"+path, strings.NewReader(body))
	return r.do(req)
}

func (r *rig) do(req *http.Request) string {
	r.t.Helper()
	w := httptest.NewRecorder()
	r.h.ServeHTTP(w, req)
	return fmt.Sprintf("%d %s", w.Code, strings.TrimSpace(w.Body.String()))
}

// Each line is a request in a story, and what its answer begins with or holds.
func TestAdminAPI(t *testing.T) {
	r := newRig(t)
	dev := "/tenants/" + tenant + "/devices/" + phone
	for _, c := range []struct{ request, body, want string }{
		{"GET /", "", `"tenants":["` + tenant + `"]`},
		{"GET /nothing", "", "404 "},
		{"GET /tenants", "", `"apps":["app"],"token_requests":0`},
		{"GET /tenants/" + tenant + "/devices", "", `"name":"phone"`},
		{"GET /tenants/" + tenant + "/devices/x", "", "404 "},
		{"GET " + dev, "", `"status":"initiated"`},
		{"POST /clock", `{"advance":"1m"}`, `200 {"now":"2026-11-23T12:01:00Z"}`},
		{"POST /clock", `{"advance":"-1m"}`, "400 "},
		{"POST /clock", `{"advance":60}`, "400 "},
		{"POST /clock", `{"retreat":"1m"}`, "unknown key (known here: advance)"},
		{"GET " + dev, "", `"status":"removed"`},
		{"PATCH " + dev, `{"offline":true}`, `"offline":true`},
		{"PATCH " + dev, `{}`, `"offline":true`},
		{"POST " + dev + "/portal", `{"remove":[{"id":"b"}],"restore":["a"]}`, `"intent":"restore"`},
		{"POST " + dev + "/portal", `{}`, "400 "},
		{"POST " + dev + "/portal", `{"remove":[{"id":""}]}`, "400 "},
		{"POST " + dev + "/portal", `{"restore_all":true}`, "200 "},
		{"PUT " + dev + "/fates/b", `{"code":7,"message":"m"}`, "200 "},
		{"DELETE " + dev + "/fates/b", ``, "200 "},
		{"DELETE /tenants/" + tenant + "/items/x", ``, "200 "},
		{"DELETE /tenants/nobody/items/x", ``, "404 "},
		{"GET /knobs", "", `"token_life":"2h0m0s"`},
		{"PATCH /knobs", `{"show_lag":"5s"}`, `"show_lag":"5s"`},
		{"GET /knobs", "", `"token_life":"2h0m0s"`},
		{"PATCH /knobs", `{"approval":"never"}`, `400 {"error":"approval: must be one of: off, documented, field"}`},
		{"GET /faults", "", `"left":-1`},
		{"POST /faults", `{"op":"post","status":429,"header":{"retry-after":"7"},"point":"after","delay":"1s"}`, `200 {"id":2}`},
		{"GET /faults", "", `"Retry-After":["7"]`},
		{"POST /faults", `{"op":"put"}`, "400 "},
		{"POST /faults", `{`, `400 {"error":"the text is not JSON"}`},
		{"DELETE /faults/2", "", "200 "},
		{"DELETE /faults/2", "", "404 "},
		{"DELETE /faults", "", "200 "},
		{"GET /faults", "", "200 []"},
		{"GET /journal?op=portal&applied=true&limit=1", "", `"n":1`},
		{"GET /journal?after=1&device=" + strings.ToUpper(phone), "", `"n":2`},
		{"GET /journal?tenant=nobody", "", "200 []"},
		{"GET /journal?applied=maybe", "", "400 "},
		{"GET /journal?limit=0", "", "400 "},
		{"GET /journal?colour=red", "", "400 "},
		{"GET /tenants/" + tenant + "/approvals", "", "200 []"},
		{"POST /tenants/" + tenant + "/approvals/x/approve", "", "409 "},
		{"POST /tenants/" + tenant + "/approvals/x/ignore", "", "404 "},
		{"POST /tenants/" + tenant + "/challenges", `{"app":"app","everyone":true}`, "200 "},
		{"POST /tenants/" + tenant + "/challenges", `{"app":"nobody"}`, "404 "},
		{"PUT /tenants/" + tenant + "/apps/APP/secret", `{"secret":"s2"}`, `200 {"ok":true}`},
		{"PUT /tenants/" + tenant + "/apps/app/secret", `{"secret":""}`, "400 "},
		{"PUT /tenants/" + tenant + "/apps/nobody/secret", `{"secret":"s2"}`, "404 "},
		{"PATCH /knobs", `{"clock_skew":"-10m"}`, `"clock_skew":"-10m0s"`},
		{"PATCH /knobs", `{"clock_skew":"25h"}`, `400 {"error":"clock_skew: must be -24h0m0s to 24h0m0s`},
		{"GET /clock", "", `200 {"now":"2026-11-23T12:01:00Z"}`},
		{"DELETE " + dev, "", "200 "},
		{"DELETE " + dev, "", "404 "},
		{"POST /reset", "", "200 "},
		{"GET /clock", "", `200 {"now":"2026-11-23T12:00:00Z"}`},
		{"GET " + dev, "", `"offline":false`},
		{"GET /faults", "", `"op":"token"`},
	} {
		if got := r.ask(c.request, c.body); !strings.Contains(got, c.want) {
			t.Errorf("%s %s\n got %s\nwant %s", c.request, c.body, got, c.want)
		}
	}
}

// A web page can make a browser call loopback; the API does not play along.
func TestForeignPages(t *testing.T) {
	r := newRig(t)
	for host, fine := range map[string]bool{"127.0.0.1:8444": true, "[::1]:8444": true, "localhost:8444": true, "localhost": true, "evil.test": false, "evil.test:8444": false} {
		req := httptest.NewRequest("GET", "/journal", nil)
		req.Host = host
		if got := r.do(req); strings.HasPrefix(got, "200") != fine {
			t.Errorf("Host %s: %s", host, got)
		}
	}
	req := httptest.NewRequest("POST", "http://127.0.0.1:8444/reset", nil)
	req.Header.Set("Sec-Fetch-Site", "cross-site")
	if got := r.do(req); !strings.HasPrefix(got, "403") {
		t.Error(got)
	}
}

func TestFaultsAreBounded(t *testing.T) {
	r := newRig(t)
	for range maxFaults - 1 {
		r.sim.Fail(graphsim.Fault{Status: 500})
	}
	if got := r.ask("POST /faults", `{"status":500}`); !strings.HasPrefix(got, "409") {
		t.Error(got)
	}
	if got := r.ask("POST /faults", `{"body":"`+strings.Repeat("x", maxInput)+`"}`); !strings.HasPrefix(got, "413") {
		t.Error(got)
	}
}

// What the API says, it takes back.
func TestKnobsRoundTrip(t *testing.T) {
	data, err := json.Marshal(encode(graphsim.DefaultKnobs()))
	if err != nil {
		t.Fatal(err)
	}
	v, err := ParseJSON(data)
	if err != nil {
		t.Fatal(err)
	}
	var k graphsim.Knobs
	if _, err := decode(v, &k); err != nil || k != graphsim.DefaultKnobs() {
		t.Errorf("%v: %+v", err, k)
	}
}

func TestSnake(t *testing.T) {
	for name, want := range map[string]string{"ID": "id", "UserID": "user_id", "CAETokenLife": "cae_token_life", "EmptyRestoresAll": "empty_restores_all", "N": "n", "AppliedAt": "applied_at"} {
		if got := snake(name); got != want {
			t.Errorf("%s: %s", name, got)
		}
	}
}

func TestParseJSON(t *testing.T) {
	for text, fine := range map[string]bool{
		`{"a":[1,true,null,"x"]}`: true, ``: false, `{} {}`: false, `{"a"}`: false, `[1,]`: false,
		strings.Repeat("[", 19) + strings.Repeat("]", 19): true, strings.Repeat("[", 21) + strings.Repeat("]", 21): false,
	} {
		if _, err := ParseJSON([]byte(text)); (err == nil) != fine {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// Nothing that is sent breaks the API, and what it takes as a fault can be armed and listed.
func FuzzInject(f *testing.F) {
	for _, s := range []string{`{"op":"post","status":503}`, `{"header":{"a":["b"]},"chance":0.5,"form":"cut"}`, `{"times":-1,"late":"1s"}`, `[]`, `{"op":1}`, `{`, ``} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, body string) {
		sim, err := graphsim.New(graphsim.Options{Certificate: &tls.Certificate{}}) // spares it the making of keys
		if err != nil {
			t.Fatal(err)
		}
		r := &rig{t, sim, Handler(sim, func() {})}
		if got := r.ask("POST /faults", body); strings.HasPrefix(got, "200") != (len(sim.Faults()) == 1) {
			t.Fatalf("%s: %s", body, got)
		}
		if got := r.ask("GET /faults", ""); !strings.HasPrefix(got, "200 [") {
			t.Fatal(got)
		}
	})
}
