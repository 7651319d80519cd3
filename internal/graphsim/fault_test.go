package graphsim_test

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"changerelay/internal/graphsim"
)

// A pair of faults looks the same to the caller; only the set tells them apart.
func TestPairedFaults(t *testing.T) {
	for _, p := range []graphsim.Point{graphsim.BeforeApply, graphsim.AfterApply} {
		for _, f := range []graphsim.Fault{
			{Op: "post", Status: 503},
			{Op: "post", Status: 429, Header: http.Header{"Retry-After": {"7"}}},
			{Op: "post", Device: phone, Body: "<html>bad gateway", Status: 502},
			{Op: "post", Reset: true},
		} {
			r := newRig(t, graphsim.Options{})
			f.Point = p
			r.Fail(f)
			a, err := r.do(context.Background(), "POST", action(phone), setOf(appA))
			want(t, "status", a.status, f.Status)
			want(t, "reset", err != nil, f.Reset)
			if f.Header != nil {
				want(t, "header", a.header.Get("Retry-After"), "7")
			}
			c := r.last()
			applied := p == graphsim.AfterApply
			want(t, "journal", line(c.Applied, c.Fault, c.Status), line(applied, true, f.Status))
			want(t, "held", r.held(phone) == "a", applied)
			r.post(phone, appB) // the fault struck once
		}
	}
}

func TestFaultCounting(t *testing.T) {
	r := newRig(t, graphsim.Options{})
	r.Fail(graphsim.Fault{Op: "post", Device: phone, Skip: 1, Times: 2, Status: 500})
	cancel := r.Fail(graphsim.Fault{Op: "post", Device: offline, Times: -1, Status: 504})
	var got []int
	for range 4 {
		got = append(got, r.must("POST", action(phone), setOf(appA)).status)
	}
	want(t, "skip and times", line(got), "[204 500 500 204]")
	for range 3 {
		want(t, "for ever", r.must("POST", action(offline), setOf(appA)).status, 504)
	}
	cancel()
	r.post(offline, appA)
	r.Fail(graphsim.Fault{Op: "get", Status: 401, Code: "UnknownError", Message: "wrapped"})
	code, message := r.must("GET", "/beta/deviceManagement/managedDevices/"+phone, "").code(t)
	want(t, "code", code+" "+message, "UnknownError wrapped")
	want(t, "next", r.listed(phone), "a:remove/initiated")
}

func TestTokenFaults(t *testing.T) {
	r := newRig(t, graphsim.Options{})
	before := r.TokenRequests(tenantID)
	r.Fail(graphsim.Fault{Op: "token", Body: `{"access_token":"half`})
	resp, err := r.client.PostForm(r.URL()+"/"+tenantID+"/oauth2/v2.0/token", r.form(clientID, "s3cret"))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	want(t, "malformed", resp.StatusCode, 200)
	r.Fail(graphsim.Fault{Op: "token", Status: 503})
	status, out := r.askToken(tenantID, r.form(clientID, "s3cret"))
	want(t, "503", line(status, out["error"]), "503 temporarily_unavailable")
	r.login(clientID, "s3cret")
	want(t, "counted", r.TokenRequests(tenantID)-before, 3)
}

// A late set takes effect when it is due, whoever looks, and before anything newer.
func TestLate(t *testing.T) {
	r := newRig(t, graphsim.Options{})
	r.Fail(graphsim.Fault{Op: "post", Late: 10 * time.Second})
	if _, err := r.do(context.Background(), "POST", action(phone), setOf(appA)); err == nil {
		t.Fatal("a late answer arrived")
	}
	r.Fail(graphsim.Fault{Op: "post", Late: 5 * time.Second, Status: 504})
	want(t, "504", r.must("POST", action(phone), setOf(appB)).status, 504)
	r.post(phone, appC)
	want(t, "not yet", r.held(phone), "c")
	r.Advance(9 * time.Second)
	want(t, "second is due first", r.held(phone), "b")
	r.Advance(time.Second)
	j := r.Journal() // only the journal looks
	late := j[len(j)-3]
	want(t, "late", line(late.Applied, late.Order, late.AppliedAt.Sub(late.At), late.Status), "true 3 10s 0")
	want(t, "older set won", r.held(phone), "a")
	r.Fail(graphsim.Fault{Op: "post", Late: time.Second, Status: 504})
	r.must("POST", action(phone), setOf(appB))
	r.DeleteDevice(tenantID, phone)
	r.Advance(time.Second)
	want(t, "nowhere to go", r.last().Applied, false)
}

func TestHookAndOverlap(t *testing.T) {
	r := newRig(t, graphsim.Options{})
	g := newGate()
	r.Fail(graphsim.Fault{Op: "post", Hook: g.hook, Point: graphsim.BeforeApply})
	done := make(chan answer)
	go func() {
		a, _ := r.do(context.Background(), "POST", action(phone), setOf(appA))
		done <- a
	}()
	<-g.reached
	r.post(offline, appB) // another device
	r.post(phone, appB)
	want(t, "second was first", r.held(phone), "b")
	close(g.release)
	want(t, "goes on", (<-done).status, 204)
	r.post(phone, appA) // alone again
	var got []string
	for _, c := range r.Journal() {
		if c.Op == "post" {
			got = append(got, line(c.Overlap, c.Order))
		}
	}
	want(t, "journal", strings.Join(got, ", "), "true 3, false 1, true 2, false 4")
}

// A caller that leaves during a delay has had no effect before the point, and has had it after.
func TestDelayUntilCallerLeaves(t *testing.T) {
	for _, http2 := range []bool{true, false} {
		for _, p := range []graphsim.Point{graphsim.BeforeApply, graphsim.AfterApply} {
			r := newRig(t, graphsim.Options{})
			r.client = newClient(t, r.Sim, http2)
			ctx, cancel := context.WithCancel(context.Background())
			r.Fail(graphsim.Fault{Op: "post", Point: p, Hook: cancel, Delay: time.Hour})
			if _, err := r.do(ctx, "POST", action(phone), setOf(appA)); err == nil {
				t.Fatal("answered")
			}
			await(t, "the server to notice", func() bool { return !r.last().Done.IsZero() })
			want(t, "applied", r.held(phone) == "a", p == graphsim.AfterApply)
		}
	}
}

func TestResetOverHTTP1(t *testing.T) {
	r := newRig(t, graphsim.Options{})
	r.client = newClient(t, r.Sim, false)
	r.Fail(graphsim.Fault{Op: "post", Point: graphsim.AfterApply, Reset: true})
	if a, err := r.do(context.Background(), "POST", action(phone), setOf(appA)); err == nil {
		t.Fatalf("answered: %+v", a)
	}
	want(t, "held", r.held(phone), "a")
}

func TestCloseEndsEverything(t *testing.T) {
	before := runtime.NumGoroutine()
	r := newRig(t, graphsim.Options{})
	g := newGate()
	close(g.release)
	r.Fail(graphsim.Fault{Op: "post", Hook: g.hook, Delay: time.Hour})
	done := make(chan error)
	go func() {
		_, err := r.do(context.Background(), "POST", action(phone), setOf(appA))
		done <- err
	}()
	<-g.reached
	if err := r.Close(); err != nil {
		t.Error(err)
	}
	if <-done == nil {
		t.Error("answered by a simulator that is closed")
	}
	await(t, "goroutines to end", func() bool { return runtime.NumGoroutine() <= before })
	if r.Start() == nil {
		t.Error("started after Close")
	}
}

// Many callers at once: the journal has them all, and numbers every set that took effect once.
func TestConcurrentCalls(t *testing.T) {
	r := newRig(t, graphsim.Options{})
	r.Set(graphsim.Knobs{EmptyRestoresAll: true})
	r.Fail(graphsim.Fault{Op: "post", Skip: 10, Times: 10, Status: 503, Late: time.Second})
	r.Fail(graphsim.Fault{Op: "post", Skip: 10, Times: 10, Point: graphsim.AfterApply, Reset: true})
	const workers, each = 8, 20
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for i := range each {
				_, _ = r.do(context.Background(), "POST", action(phone), setOf([]string{appA, appB, appC}[i%3]))
				_ = r.held(phone)
			}
		})
	}
	wg.Wait()
	r.Advance(time.Second)
	orders := map[int]bool{}
	for i, c := range r.Journal() {
		want(t, "N", c.N, i+1)
		if c.Applied {
			orders[c.Order] = true
		}
	}
	want(t, "sets that took effect", len(orders), workers*each)
	want(t, "first and last", line(orders[1], orders[workers*each]), "true true")
}

func TestFileSurvivesRestart(t *testing.T) {
	file := filepath.Join(t.TempDir(), "devices.json")
	first := newRig(t, graphsim.Options{File: file})
	first.post(phone, appA, appB)
	first.Advance(7 * time.Hour)
	first.token = first.login(clientID, "s3cret")
	first.post(phone, appB, appC)
	second := newRig(t, graphsim.Options{File: file})
	want(t, "listed", second.listed(phone), "a:restore/initiated b:remove/removed c:remove/initiated")
	second.Advance(time.Hour)
	want(t, "clock goes on", second.held(phone), "c")
	info, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	want(t, "mode", info.Mode().Perm(), 0o600)
	data, _ := os.ReadFile(file)
	want(t, "secrets", strings.Contains(string(data), "s3cret"), false)
	left, _ := filepath.Glob(filepath.Join(filepath.Dir(file), ".graphsim-*"))
	want(t, "left over", len(left), 0)

	if err := os.WriteFile(file, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := graphsim.New(graphsim.Options{File: file}); err == nil {
		t.Error("a broken file was accepted")
	}
}

func TestFileErrorIsReported(t *testing.T) {
	s, err := graphsim.New(graphsim.Options{File: filepath.Join(t.TempDir(), "no", "such", "dir")})
	if err != nil {
		t.Fatal(err)
	}
	s.AddTenant(graphsim.Tenant{ID: tenantID})
	if s.Close() == nil {
		t.Error("a lost state file went unnoticed")
	}
}

func TestJournalIsBounded(t *testing.T) {
	r := newRig(t, graphsim.Options{Journal: 3})
	for range 10 {
		r.post(phone, appA)
	}
	j := r.Journal()
	want(t, "kept", len(j), 3)
	want(t, "newest", j[2].N, 11) // the token was the first
}
