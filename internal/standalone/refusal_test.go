package standalone

import (
	"io"
	"net"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"changerelay/internal/ingest/verify"
	"changerelay/internal/relay"
)

// What differs between any two answers: the request's id, and the time.
var differs = regexp.MustCompile(`(?m)^(X-Request-Id|Date): .*$`)

// A sender that is not verified learns nothing, not even why: one answer, byte
// for byte, whatever is wrong.
func TestEveryRefusalIsTheSame(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.tenant("acme", "a")
	p := r.start(relay.Ingest)
	r.ready(p)
	body, now := change("1", "a", "app1"), time.Now()
	sign := func(s verify.Scheme, secret string, at time.Time) http.Header {
		h, err := verify.Sign(s, secret, "1", at, body)
		if err != nil {
			t.Fatal(err)
		}
		return h
	}
	drop := func(h http.Header, name string) http.Header { h.Del(name); return h }
	set := func(h http.Header, name, value string) http.Header { h.Set(name, value); return h }
	desk, snow := verify.StandardWebhooks(), verify.ServiceNow()
	other := "whsec_b3RoZXItc2VjcmV0LW9mLTMyLWJ5dGVzLW5vdC1sb2c="

	want := ""
	for _, c := range []struct {
		name, path string
		h          http.Header
	}{
		{"wrong signature", "/v1/changes", set(sign(desk, sourceSecrets["desk"], now), "Webhook-Signature", "v1,"+strings.Repeat("A", 43)+"=")},
		{"wrong secret", "/v1/changes", sign(desk, other, now)},
		{"stale", "/v1/changes", sign(desk, sourceSecrets["desk"], now.Add(-time.Hour))},
		{"ahead", "/v1/changes", sign(desk, sourceSecrets["desk"], now.Add(time.Hour))},
		{"another id", "/v1/changes", set(sign(desk, sourceSecrets["desk"], now), "Webhook-Id", "2")},
		{"no signature", "/v1/changes", drop(sign(desk, sourceSecrets["desk"], now), "Webhook-Signature")},
		{"no timestamp", "/v1/changes", drop(sign(desk, sourceSecrets["desk"], now), "Webhook-Timestamp")},
		{"no id", "/v1/changes", drop(sign(desk, sourceSecrets["desk"], now), "Webhook-Id")},
		{"nothing", "/v1/changes", http.Header{}},
		{"not base64", "/v1/changes", set(sign(desk, sourceSecrets["desk"], now), "Webhook-Signature", "v1,!")},
		{"another source's", "/v1/hooks/desk", sign(desk, sourceSecrets["hr"], now)},
		{"hook, wrong signature", "/v1/hooks/servicenow", set(http.Header{}, "X-Hmac-Signature", strings.Repeat("A", 43)+"=")},
		{"hook, wrong secret", "/v1/hooks/servicenow", sign(snow, "another secret of some length", now)},
		{"hook, no signature", "/v1/hooks/servicenow", http.Header{}},
		{"unknown source", "/v1/hooks/jira", sign(snow, sourceSecrets["servicenow"], now)},
		{"unknown source, nothing", "/v1/hooks/jira", http.Header{}},
	} {
		got := r.raw(r.unsigned(p.ingest+c.path, c.h, body))
		if want == "" {
			want = got
		}
		if got != want {
			t.Errorf("%s is answered\n%s\nand a wrong signature\n%s", c.name, got, want)
		}
	}
	if !strings.HasPrefix(want, "HTTP/1.1 401 Unauthorized\r\n") || strings.Count(want, "…\n") != 2 || !strings.Contains(want, `"error":"unauthorized"`) {
		t.Errorf("the answer is\n%s", want)
	}
	for _, reason := range []string{"unknown_source", "bad_signature", "missing_header", "outside_tolerance"} {
		if !strings.Contains(r.log.String(), reason) {
			t.Errorf("the log does not say %s", reason)
		}
	}
	r.start(relay.Worker)
	r.settled(r.js())
	if a := r.send(p.ingest, "desk", "1", body); a.code != http.StatusAccepted {
		t.Errorf("rightly signed it is answered %v", a)
	}
}

// raw is an answer as its bytes came, without what differs in all.
func (r *rig) raw(req *http.Request) string {
	r.t.Helper()
	conn, err := net.Dial("tcp", req.URL.Host)
	if err != nil {
		r.t.Fatal(err)
	}
	defer conn.Close()
	req.Close = true
	if err := req.Write(conn); err != nil {
		r.t.Fatal(err)
	}
	b, err := io.ReadAll(conn)
	if err != nil {
		r.t.Fatal(err)
	}
	return differs.ReplaceAllString(string(b), "…")
}
