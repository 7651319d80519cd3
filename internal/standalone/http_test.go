package standalone

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"changerelay/internal/await"
	"changerelay/internal/events"
	"changerelay/internal/ingest/verify"
)

// A reply is what the relay answered.
type reply struct {
	code   int
	header http.Header
	text   string

	ID        string `json:"id"`
	URL       string `json:"url"`
	Status    string `json:"status"`
	Error     string `json:"error"`
	Field     string `json:"field"`
	Reason    string `json:"reason"`
	Duplicate *bool  `json:"duplicate"`
}

// word is the reply's one word: a status, or an error.
func (a reply) word() string { return a.Status + a.Error }

func (a reply) String() string { return fmt.Sprintf("%d %s", a.code, strings.TrimSpace(a.text)) }

// request makes a signed request of a source. id is for a CloudEvents one.
func (r *rig) request(base, source, id string, body []byte) *http.Request {
	r.t.Helper()
	path, scheme := "/v1/changes", verify.StandardWebhooks()
	if source == "servicenow" {
		path, scheme = "/v1/hooks/servicenow", verify.ServiceNow()
	}
	h, err := verify.Sign(scheme, sourceSecrets[source], id, time.Now(), body)
	if err != nil {
		r.t.Fatal(err)
	}
	return r.unsigned(base+path, h, body)
}

func (r *rig) unsigned(url string, h http.Header, body []byte) *http.Request {
	r.t.Helper()
	req, err := http.NewRequest(http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	if h != nil {
		req.Header = h
	}
	req.Header.Set("Content-Type", "application/json")
	r.secrets.headers(req.Header)
	return req
}

// do sends a request. What it is answered is scanned for secrets.
func (r *rig) do(req *http.Request) (a reply, err error) {
	res, err := r.client.Do(req)
	if err != nil {
		return a, err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		return a, err
	}
	_ = json.Unmarshal(b, &a) // metrics are text
	a.code, a.header, a.text = res.StatusCode, res.Header, string(b)
	if found := r.secrets.leaks(a.text); len(found) > 0 {
		r.t.Errorf("%s %s: the answer holds %v:\n%s", req.Method, req.URL.Path, found, a.text)
	}
	return a, nil
}

func (r *rig) send(base, source, id string, body []byte) reply {
	r.t.Helper()
	a, err := r.do(r.request(base, source, id, body))
	if err != nil {
		r.t.Fatal(err)
	}
	return a
}

func (r *rig) get(url string) reply {
	r.t.Helper()
	req, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		r.t.Fatal(err)
	}
	a, err := r.do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	return a
}

// ready waits until a process can do its work.
func (r *rig) ready(p *process) {
	r.t.Helper()
	await.State(r.t, "readiness", func() bool { return r.get(p.admin+"/readyz").code == http.StatusOK })
}

// receipt asks for an event, as its desk where the id has no device.
func (r *rig) receipt(base, id, query string) reply {
	r.t.Helper()
	url := base + "/v1/changes/" + id + query
	if ref, err := events.ParseRef(id); err != nil || !ref.Unresolved() {
		return r.get(url)
	}
	a, err := r.do(r.look(url))
	if err != nil {
		r.t.Fatal(err)
	}
	return a
}

// look is a question that the desk has signed.
func (r *rig) look(url string) *http.Request {
	r.t.Helper()
	h, err := verify.Sign(verify.StandardWebhooks(), sourceSecrets["desk"], "look", time.Now(), nil)
	if err != nil {
		r.t.Fatal(err)
	}
	req := r.unsigned(url, h, nil)
	req.Method = http.MethodGet
	return req
}

// outcome waits over HTTP for an event's final outcome.
func (r *rig) outcome(base, id string) events.Receipt {
	r.t.Helper()
	var got events.Receipt
	await.State(r.t, "an outcome of "+id, func() bool {
		a := r.receipt(base, id, "?wait=5s")
		if a.code != http.StatusOK {
			return false
		}
		if err := json.Unmarshal([]byte(a.text), &got); err != nil {
			r.t.Fatal(err)
		}
		if a.Status != got.Status() || (got.State == events.Final) != got.Outcome.Final() {
			r.t.Fatalf("status is %q, state %q, outcome %q", a.Status, got.State, got.Outcome)
		}
		return got.Outcome != ""
	})
	return got
}

// approved is when the tests' tickets were: the same at each sending.
var approved = time.Now().Add(-time.Hour).Truncate(time.Second)

// change is the body of a CloudEvent that removes one app.
func change(id, device, app string) []byte {
	e := events.Event{
		ID: id, Source: "/desk", Ticket: "CHG" + id, Tenant: "acme", Device: uuid(device), Time: approved,
		Changes: []events.Change{{Intent: events.Remove, Item: events.Item{ID: uuid(app), Type: events.Application}}},
	}
	return e.Encode()
}

// series are the values of a scrape, each under its name and labels.
func (r *rig) series(p *process) map[string]float64 {
	r.t.Helper()
	a := r.get(p.admin + "/metrics")
	if a.code != http.StatusOK {
		r.t.Fatalf("GET /metrics: %v", a)
	}
	values := map[string]float64{}
	for line := range strings.Lines(a.text) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "#") {
			continue
		}
		i := strings.LastIndexByte(line, ' ')
		v, err := strconv.ParseFloat(line[i+1:], 64)
		if err != nil || i < 0 {
			r.t.Fatalf("the scrape has the line %q", line)
		}
		values[line[:i]] = v
	}
	return values
}
