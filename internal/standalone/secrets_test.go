package standalone

import (
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"changerelay/internal/await"
	"changerelay/internal/graphsim"
	"changerelay/internal/ingest/verify"
	"changerelay/internal/relay"
	"changerelay/internal/tracetest"
)

// planted stands for a token in replies that no token can be read from.
const planted = "eyJwbGFudGVkIjoidG9rZW4ifQ.eyJub3QiOiJmb3ItbG9ncyJ9.cGxhbnRlZC1zaWduYXR1cmUtbm90LWZvci1sb2dz"

// hostile are the ways in which the cloud, a tenant's fault each, quotes secrets
// at us.
var hostile = map[string]graphsim.Fault{
	"cut":      {Op: "token", Body: `{"token_type":"Bearer","expires_in":3600,"access_token":"` + planted},
	"array":    {Op: "token", Body: `["access_token","` + planted + `"]`},
	"html":     {Op: "token", Status: 502, Body: `<html>access_token=` + planted + `</html>`},
	"typed":    {Op: "token", Body: `{"token_type":"Bearer","expires_in":"soon","access_token":"` + planted + `"}`},
	"error":    {Op: "token", Status: 400, Code: "invalid_request", Message: "AADSTS900144: client_secret=SECRET Bearer " + planted},
	"denied":   {Op: "token", Times: -1, Status: 401, Code: "invalid_client", Message: "AADSTS7000215: Invalid client secret provided: SECRET."},
	"reset":    {Op: "token", Reset: true},
	"lost":     {Op: "token", Point: graphsim.AfterApply, Reset: true},
	"post-401": {Op: "post", Status: 401, Message: "Access token validation failure: Bearer " + planted},
	"post-400": {Op: "post", Status: 400, Body: `{"error":{"code":"` + planted + `","message":"Bearer ` + planted + `"}}`},
	"get-403":  {Op: "get", Status: 403, Message: "the token is " + planted},
	"get-html": {Op: "get", Status: 503, Body: "<p>Bearer " + planted},
	"get-cut":  {Op: "get", Body: `{"deviceActionResults":[{"access_token":"` + planted},
	"post-cut": {Op: "post", Point: graphsim.AfterApply, Reset: true},
}

// No secret, token, signature or text of MSAL is in any line of the log, on
// /metrics or in an answer, whatever the cloud and the senders do.
func TestNothingSecretIsSeen(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.secrets.token(planted)
	for name, f := range hostile {
		r.tenant(name, "device of "+name)
		f.Tenant = uuid(name)
		f.Message = strings.ReplaceAll(f.Message, "SECRET", r.tenants[name])
		r.sim.Fail(f)
	}
	r.tenant("acme", "a")
	r.tenant("wrong", "device of wrong")
	r.tenants["wrong"] = "wrong~client+secret/not=for logs"
	r.secrets.keep("a wrong client secret", r.tenants["wrong"])
	c := r.echo()
	p := r.start(relay.Ingest|relay.Worker, r.collected(c, "changerelay-standalone"))
	r.ready(p)

	ids := map[string]string{}
	for name := range r.tenants {
		body := strings.ReplaceAll(string(change("1", "device of "+name, "app1")), `"acme"`, `"`+name+`"`)
		a := r.send(p.ingest, "desk", name, []byte(body))
		if a.code != http.StatusAccepted {
			t.Fatalf("%s: %v", name, a)
		}
		ids[name] = a.ID
	}
	r.mischief(p)
	for name := range hostile {
		if name == "denied" || name == "get-403" {
			continue // a person has to mend it: the tenant waits for a minute
		}
		if got := r.outcome(p.ingest, ids[name]); !got.Outcome.Final() {
			t.Errorf("%s: %+v", name, got)
		}
	}
	for _, name := range []string{"denied", "get-403", "wrong"} {
		await.State(t, name+" to be put off", func() bool { return r.logged(`"outcome":"unavailable"`, `"tenant":"`+name+`"`) })
	}
	r.series(p)
	p.stop()

	struck := map[string]bool{}
	for _, c := range r.sim.Journal() {
		struck[c.Tenant] = struck[c.Tenant] || c.Fault
	}
	for name := range hostile {
		if !struck[uuid(name)] {
			t.Errorf("the fault of %s did not strike", name)
		}
	}
	if n := r.secrets.count("an access token"); n < len(hostile)/2 {
		t.Errorf("only %d tokens were seen on the wire", n)
	}
	if n := r.secrets.count("a signature"); n < len(ids) {
		t.Errorf("only %d signatures were seen on the wire", n)
	}
	if found := r.secrets.leaks(r.log.String()); len(found) > 0 {
		t.Errorf("the log holds %v", found)
	}
	r.secrets.finds(t, r.log.String())
	r.quietTraces(c)
}

// echo is a collector that quotes what it is sent to every other request, and
// turns that down.
func (r *rig) echo() *tracetest.Collector {
	c := tracetest.New(r.t)
	r.secrets.keep("the collector's key", collectorKey)
	var n atomic.Int64
	c.Answer(func(w http.ResponseWriter, req *http.Request) bool {
		if n.Add(1)%2 == 0 {
			return false
		}
		w.WriteHeader(http.StatusForbidden)
		fmt.Fprintf(w, "no such key: %s %s", req.Header.Get("X-Collector-Key"), planted)
		return true
	})
	return c
}

// quietTraces wants that no secret was sent to the collector but its own key, and
// no text of an error.
func (r *rig) quietTraces(c *tracetest.Collector) {
	r.t.Helper()
	raw := c.Raw()
	if found := r.secrets.leaks(raw); len(found) > 0 {
		r.t.Errorf("the traces hold %v", found)
	}
	for _, words := range []string{"AADSTS", "token is", "<html>", "connection reset"} {
		if strings.Contains(raw, words) {
			r.t.Errorf("the traces hold the text of an error: %s", words)
		}
	}
	r.secrets.finds(r.t, raw)
	if len(raw) < 10000 || len(c.Spans("")) < 20 || c.Headers()[0].Get("X-Collector-Key") != collectorKey {
		r.t.Errorf("only %d bytes of traces, %d spans, headers %v", len(raw), len(c.Spans("")), c.Headers()[0])
	}
	if !r.logged("spans were dropped", "403 Forbidden") {
		r.t.Error("the log does not say that the collector turned spans down")
	}
}

// mischief sends what senders get wrong, secrets in places where none belong.
func (r *rig) mischief(p *process) {
	r.t.Helper()
	secret := sourceSecrets["servicenow"]
	good := []byte(`{"sys_id":"1","number":"CHG1","approval":"approved"}`)
	signed, err := verify.Sign(verify.ServiceNow(), secret, "", time.Now(), good)
	if err != nil {
		r.t.Fatal(err)
	}
	for _, c := range []struct {
		url    string
		header http.Header
		body   string
	}{
		{"/v1/hooks/servicenow?secret=" + secret, http.Header{}, "{}"},
		{"/v1/hooks/servicenow", signed, string(good)},
		{"/v1/hooks/servicenow", http.Header{"X-Hmac-Signature": {secret}}, "{}"},
		{"/v1/hooks/servicenow", http.Header{"Authorization": {"Bearer " + planted}, "Cookie": {planted}, "User-Agent": {planted}}, planted},
		{"/v1/changes", http.Header{"Webhook-Signature": {"v1," + planted}, "Webhook-Id": {planted}, "Webhook-Timestamp": {"1"}}, secret},
		{"/v1/hooks/" + secret, http.Header{}, "{}"},
		{"/" + planted, http.Header{}, "{}"},
	} {
		if a, err := r.do(r.unsigned(p.ingest+c.url, c.header, []byte(c.body))); err != nil || a.code < 400 {
			r.t.Errorf("%s: %v, %v", c.url, a, err)
		}
	}
}

// finds wants the scan to find each secret in a text that holds it.
func (v *vault) finds(t testing.TB, text string) {
	t.Helper()
	v.mu.Lock()
	var all []string
	for s := range v.texts {
		all = append(all, s)
	}
	v.mu.Unlock()
	half := len(text) / 2
	for _, s := range all {
		if len(v.leaks(text[:half]+s+text[half:])) == 0 {
			t.Errorf("the scan would not find %q", s)
		}
	}
}

func TestTheScanFindsWhatIsPlanted(t *testing.T) {
	v := newVault()
	v.keep("a secret", "whsec_cGxhbnRlZC1zZWNyZXQ=")
	v.token(planted)
	v.headers(http.Header{"Webhook-Signature": {"v1,c2lnbmF0dXJl"}})
	for _, text := range []string{
		"cGxhbnRlZC1zZWNyZXQ=", "planted-secret", "706c616e7465642d736563726574", "x " + planted + " y", "eyJub3QiOiJmb3ItbG9ncyJ9",
		"c2lnbmF0dXJl", "client_assertion", sourceSecrets["servicenow"], "desk-secret-of-32-bytes-not-logs",
	} {
		if len(v.leaks("a line with "+text+" in it")) == 0 {
			t.Errorf("the scan does not find %q", text)
		}
	}
	if found := v.leaks(`{"msg":"check tenant_id, client_id and client_secret in the configuration"}`); len(found) > 0 {
		t.Errorf("the scan finds %v where nothing is", found)
	}
}
