package main

import (
	"strings"
	"testing"
	"time"

	"changerelay/internal/graphsim"
	"changerelay/internal/stream"
)

func TestDoctorOnCertificates(t *testing.T) {
	now := time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)
	const day = 24 * time.Hour
	for _, c := range []struct {
		end  time.Time
		want stream.Level
	}{
		{time.Time{}, stream.OK}, {now.Add(31 * day), stream.OK}, {now.Add(29 * day), stream.Note}, {now.Add(-day), stream.Note},
	} {
		f := credentialFinding("tenant acme", c.end, now)
		if f.Level != c.want || (c.want == stream.Note) != strings.Contains(f.Detail, "expires "+stamp(c.end, now)) {
			t.Errorf("a certificate that ends %v: %+v", c.end, f)
		}
	}
}

// Roles in a token are a promise; that Graph keeps it, one read shows.
func TestDoctorReadsGraph(t *testing.T) {
	r := newRig(t)
	from := len(r.sim.Journal())
	r.run("doctor").has(t, "ok  tenants  acme, globex: has a token with the permissions that it needs, and Graph lets it read")
	var calls []string
	for _, c := range r.sim.Journal()[from:] {
		if c.Op != "token" {
			calls = append(calls, c.Op+" "+c.Device)
		}
	}
	if got := strings.Join(calls, ", "); got != "get "+nobody+", get "+nobody {
		t.Errorf("Graph was asked %s", got)
	}
	for _, c := range []struct {
		fault graphsim.Fault
		want  string
	}{
		{graphsim.Fault{Status: 403, Code: "Forbidden"}, "bad  tenant acme  has a token, but Graph does not let it read: "},
		{graphsim.Fault{Status: 403, Code: "Forbidden"}, "; see that an admin's consent is given to DeviceManagementManagedDevices.Read.All, "},
		{graphsim.Fault{Status: 429, Code: "TooManyRequests"}, "note  tenant acme  has a token with the permissions that it needs; whether Graph lets it read is not known: "},
		{graphsim.Fault{Status: 503, Code: "ServiceUnavailable"}, "bad  tenant acme  has a token, but Graph does not answer a read as it should: "},
		{graphsim.Fault{Status: 400, Code: "BadRequest"}, "bad  tenant acme  has a token, but Graph does not answer a read as it should: "},
	} {
		c.fault.Op, c.fault.Times = "get", -1
		heal := r.sim.Fail(c.fault)
		got := r.run("doctor")
		heal()
		if !strings.Contains(norm(got.out), c.want) || (got.code == 0) != strings.HasPrefix(c.want, "note") {
			t.Errorf("%d: exit code %d, and no %q in\n%s", c.fault.Status, got.code, c.want, got.out)
		}
	}
	from = len(r.sim.Journal())
	if got := r.run("doctor", "--no-graph"); strings.Contains(got.out, "tenant acme") || strings.Contains(got.out, "tenants  ") || len(r.sim.Journal()) != from {
		t.Errorf("with --no-graph it has asked Graph:\n%s", got.out)
	}
}
