package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"changerelay/internal/await"
	"changerelay/internal/events"
	"changerelay/internal/graphsim"
	"changerelay/internal/natstest"
	"changerelay/internal/stream"
)

// refuse has Graph refuse events, oldest first: their letters are 1, 2, ….
func (r *rig) refuse(es ...events.Event) {
	r.t.Helper()
	heal := r.sim.Fail(graphsim.Fault{Op: "post", Status: 400, Code: "BadRequest", Times: -1})
	defer heal()
	for _, e := range es {
		r.publish(e, events.Refused)
	}
}

// publish stores an event and waits for its outcome.
func (r *rig) publish(e events.Event, want events.Outcome) {
	r.t.Helper()
	if _, err := r.streams.Publish(r.t.Context(), e); err != nil {
		r.t.Fatal(err)
	}
	await.State(r.t, e.ID+" to end "+string(want), func() bool {
		got, err := r.streams.Find(r.t.Context(), e.Ref())
		return err == nil && got.Outcome == want
	})
	r.settled()
}

// stored is how many messages a stream holds.
func (r *rig) stored(name string) uint64 {
	r.t.Helper()
	js, err := jetstream.New(natstest.Connect(r.t, r.broker.URL()))
	if err != nil {
		r.t.Fatal(err)
	}
	s, err := js.Stream(r.t.Context(), name)
	if err != nil {
		r.t.Fatal(err)
	}
	return s.CachedInfo().State.Msgs
}

// bury stores a letter of an event that nobody needs to have stored.
func (r *rig) bury(e events.Event, o events.Outcome, at time.Time) {
	r.t.Helper()
	r.letter(stream.DeadLetter{Ref: e.Ref(), Outcome: o, Reason: "for the test", Data: e.Encode(), Origin: e.Subject(), Sequence: 7, At: at})
}

func (r *rig) letter(l stream.DeadLetter) {
	r.t.Helper()
	if err := r.streams.Bury(r.t.Context(), l); err != nil {
		r.t.Fatal(err)
	}
}

// lines reads JSON, one object a line.
func lines[T any](t *testing.T, out string) (vs []T) {
	t.Helper()
	for line := range strings.Lines(out) {
		var v T
		if err := json.Unmarshal([]byte(line), &v); err != nil {
			t.Fatalf("%v in %s", err, line)
		}
		vs = append(vs, v)
	}
	return vs
}

func TestDeadReplay(t *testing.T) {
	r := newRig(t)
	r.work()
	old := event(t, "CHG0000001", time.Now().Add(-2*time.Hour), change(events.Remove, app1))
	other := event(t, "CHG0000002", time.Now().Add(-time.Hour), change(events.Remove, app3))
	r.refuse(old, other)
	newer := event(t, "CHG0000003", time.Now(), change(events.Restore, app1), change(events.Remove, app2))
	r.publish(newer, events.Accepted)

	got := r.run("dead", "replay", "1")
	got.fails(t, 1, "NUMBER  AGE  OUTCOME  SOURCE  TENANT  TICKET      DEVICE                                PLAN",
		"publish again: remove 1 item", "will publish 1 event again under a new id; what a newer event said of the same items stays",
		"nothing was done: standard input is no terminal", "--yes")
	if n := r.stored(stream.Changes) + r.stored(stream.AuditLog); n != 3 || got.out != "" {
		t.Fatalf("asked, and nobody answered: %d messages more, %s", n-3, got.out)
	}

	r.run("dead", "replay", "--reason", "refused", "--tenant", "acme", "--yes", "--wait", "--why", "mended").want(t, 0, `
LETTER  RESULT  OUTCOME  EVENT  REASON
1  replayed  superseded  acme.0f9a6d1e-7b0a-4d0e-9a52-3c1b7f0a1d11.KEY-r1  a newer change of the same items has been told: event acme.0f9a6d1e-7b0a-4d0e-9a52-3c1b7f0a1d11.KEY
2  replayed  accepted  acme.0f9a6d1e-7b0a-4d0e-9a52-3c1b7f0a1d11.KEY-r2`, `
NUMBER  AGE  OUTCOME  SOURCE  TENANT  TICKET  DEVICE  PLAN
1  0s  refused  -  acme  CHG0000001  0f9a6d1e-7b0a-4d0e-9a52-3c1b7f0a1d11  publish again: remove 1 item
2  0s  refused  -  acme  CHG0000002  0f9a6d1e-7b0a-4d0e-9a52-3c1b7f0a1d11  publish again: remove 1 item

will publish 2 events again under a new id; what a newer event said of the same items stays`)
	if held := fmt.Sprint(r.sim.Held(entraTenant, phone)); strings.Contains(held, app1) || !strings.Contains(held, app2) || !strings.Contains(held, app3) {
		t.Errorf("Graph holds %s", held)
	}

	// Twice is once, and needs no question, for nothing changes.
	r.run("dead", "replay", "1", "2", "2").want(t, 0, `
LETTER  RESULT  OUTCOME  EVENT  REASON
1  already_replayed  superseded  acme.0f9a6d1e-7b0a-4d0e-9a52-3c1b7f0a1d11.KEY-r1  a newer change of the same items has been told: event acme.0f9a6d1e-7b0a-4d0e-9a52-3c1b7f0a1d11.KEY
2  already_replayed  accepted  acme.0f9a6d1e-7b0a-4d0e-9a52-3c1b7f0a1d11.KEY-r2

next: relayctl status EVENT says what became of each`, `
NUMBER  AGE  OUTCOME  SOURCE  TENANT  TICKET  DEVICE  PLAN
1  0s  refused  -  acme  CHG0000001  0f9a6d1e-7b0a-4d0e-9a52-3c1b7f0a1d11  replayed before: superseded
2  0s  refused  -  acme  CHG0000002  0f9a6d1e-7b0a-4d0e-9a52-3c1b7f0a1d11  replayed before: accepted`)
	if n := r.stored(stream.Changes); n != 5 {
		t.Errorf("%d events are stored, want 5", n)
	}
	if n := r.stored(stream.AuditLog); n != 8 {
		t.Errorf("%d audit records, want two for each act", n)
	}
}

// What ends badly again is the exit code's business, with or without --wait.
func TestDeadReplayOfWhatIsStillRefused(t *testing.T) {
	r := newRig(t)
	r.work()
	e := event(t, "CHG0000001", time.Now(), change(events.Remove, app1))
	r.refuse(e)
	heal := r.sim.Fail(graphsim.Fault{Op: "post", Status: 400, Code: "BadRequest", Times: -1})
	defer heal()
	for range 2 {
		got := r.run("dead", "replay", "1", "--yes", "--wait", "--output", "json")
		got.fails(t, 1, "1 of 1 letter could not be replayed to a good end")
		if a := lines[ending](t, got.out)[0]; a.Outcome != events.Refused || !strings.Contains(a.Reason, "Graph refused the set") {
			t.Errorf("%+v", a)
		}
	}
	r.settled()
	heal()
	// The replay has a letter of its own, and so has its replay.
	r.run("dead", "replay", "2", "--yes", "--wait").want(t, 0, `
LETTER  RESULT  OUTCOME  EVENT  REASON
2  replayed  accepted  acme.0f9a6d1e-7b0a-4d0e-9a52-3c1b7f0a1d11.KEY-r2`, `
NUMBER  AGE  OUTCOME  SOURCE  TENANT  TICKET  DEVICE  PLAN
2  0s  refused  -  acme  CHG0000001  0f9a6d1e-7b0a-4d0e-9a52-3c1b7f0a1d11  publish again: remove 1 item

will publish 1 event again under a new id; what a newer event said of the same items stays`)
}

// Each letter that cannot be replayed says why and what to do; others go on.
func TestDeadReplayOfWhatCannotBe(t *testing.T) {
	r := newRig(t)
	now := time.Now()
	good := event(t, "CHG0000001", now, change(events.Remove, app1))
	r.bury(good, events.Expired, now)
	var want []string
	not := func(why string, l stream.DeadLetter) {
		l.At = now
		r.letter(l)
		want = append(want, why)
	}
	of := func(e events.Event, o events.Outcome) stream.DeadLetter {
		return stream.DeadLetter{Ref: e.Ref(), Outcome: o, Reason: "for the test", Data: e.Encode(), Origin: e.Subject(), Sequence: 9}
	}
	e := event(t, "CHG0000002", now, change(events.Remove, app1))
	gone := of(e, events.Expired)
	gone.Data, gone.Origin = nil, ""
	not("its bytes are gone: CHANGES had forgotten the event", gone)

	broken := of(event(t, "CHG0000003", now, change(events.Remove, app1)), events.Invalid)
	broken.Data = []byte(`{"specversion":"1.0"}`)
	not("it is no event (type: is required; want changerelay.change.v1): correct it", broken)

	lies := of(event(t, "CHG0000004", now, change(events.Remove, app1)), events.Refused)
	lies.Origin = e.Subject()
	not("it is no event (subject: the key is", lies)

	filed := of(event(t, "CHG0000005", now, change(events.Remove, app1)), events.Refused)
	filed.Ref = event(t, "CHG0000006", now, change(events.Remove, app1)).Ref()
	not("and filed as another", filed)

	stranger := event(t, "CHG0000007", now, change(events.Remove, app1))
	stranger.Tenant = "initech"
	not("tenant initech is not in the configuration: add it", of(stranger, events.Invalid))

	not("it was decided 31d ago, and newer changes are remembered for 30d", of(event(t, "CHG0000008", now.Add(-31*24*time.Hour), change(events.Remove, app1)), events.Refused))

	if _, err := r.streams.Publish(t.Context(), good); err != nil {
		t.Fatal(err)
	}
	twin := good
	twin.Changes = []events.Change{change(events.Restore, app1)}
	not("its id is another event's, which was first", of(twin, events.Invalid))

	not("its subject is no event's", stream.DeadLetter{Outcome: events.Invalid, Data: good.Encode(), Origin: "changes.v1.x", Sequence: 8})
	if err := r.streams.Park(t.Context(), stream.Parked{Source: "snow", Reason: "body: is no JSON", Body: []byte("{"), At: now}); err != nil {
		t.Fatal(err)
	}
	want = append(want, "it is a body of source snow that is no event")

	got := r.run("dead", "replay", "--all", "--yes", "--output", "json")
	got.fails(t, 1, fmt.Sprintf("%d of %d letters could not be replayed", len(want), len(want)+1), "will publish 1 event again")
	as := lines[ending](t, got.out)
	if len(as) != len(want)+1 || as[0].Result != replayed || as[0].Event != good.Ref().String()+"-r1" {
		t.Fatalf("%+v", as)
	}
	for i, why := range want {
		if a := as[i+1]; a.Result != skipped || !strings.Contains(a.Reason, why) || !strings.Contains(got.stderr, why) {
			t.Errorf("letter %d: %+v, want %q", a.Letter, a, why)
		}
	}
	if n := r.stored(stream.AuditLog); n != 2 {
		t.Errorf("%d audit records, want those of the one act", n)
	}
	r.run("dead", "replay", "99").fails(t, 1, "1 of 1 letter")
}

// An event that waits for a worker is not waited for without end.
func TestDeadReplayWaitsForSoLong(t *testing.T) {
	r := newRig(t)
	r.bury(event(t, "CHG0000001", time.Now(), change(events.Remove, app1)), events.Expired, time.Now())
	got := r.run("dead", "replay", "1", "--yes", "--wait", "--timeout", "10ms")
	got.fails(t, 1, "after 10ms there is no outcome of 1 event; ask again later: relayctl status acme.")
	if !strings.Contains(norm(got.out), "1  replayed  -  acme.") {
		t.Errorf("printed\n%s", got.out)
	}
}

func TestDeadPicks(t *testing.T) {
	r := newRig(t)
	now := time.Now()
	for i, l := range []struct {
		tenant string
		o      events.Outcome
		ago    time.Duration
	}{{"acme", events.Refused, 72 * time.Hour}, {"acme", events.Expired, 2 * time.Hour}, {"globex", events.Expired, time.Hour}, {"acme", events.Refused, time.Minute}} {
		e := event(t, fmt.Sprintf("CHG%07d", i+1), now.Add(-l.ago), change(events.Remove, app1))
		e.Tenant = l.tenant
		r.bury(e, l.o, now.Add(-l.ago))
	}
	if err := r.streams.Park(t.Context(), stream.Parked{Source: "desk", Ticket: "CHG0000005", Reason: "no device", Body: []byte("{}"), At: now.Add(-10 * 24 * time.Hour)}); err != nil {
		t.Fatal(err)
	}
	for flags, want := range map[string]string{
		"":                                 "[1 2 3 4 5]",
		"--ticket CHG0000005":              "[5]",
		"--tenant acme":                    "[1 2 4]",
		"--reason expired":                 "[2 3]",
		"--reason expired --tenant globex": "[3]",
		"--ticket CHG0000004":              "[4]",
		"--ticket CHG9":                    "[]",
		"--older 90m":                      "[1 2 5]",
		"--older 1d --reason refused":      "[1]",
		"--newer 90m":                      "[3 4]",
		"--newer 1d --older 90m":           "[2]",
		"--after 2":                        "[3 4 5]",
		"--after 2 --limit 1":              "[3]",
	} {
		var numbers []uint64
		for _, l := range lines[letter](t, r.run(append([]string{"dead", "list", "--output", "json"}, strings.Fields(flags)...)...).out) {
			numbers = append(numbers, l.Number)
		}
		if fmt.Sprint(numbers) != want {
			t.Errorf("%s: %v, want %s", flags, numbers, want)
		}
	}
	if got := r.run("dead", "list", "--older", "1m", "--ticket", "CHG0000001", "--limit", "1"); !strings.HasSuffix(got.out, "\nnext: relayctl dead list --after 1 --ticket CHG0000001 --older 1m0s --limit 1\n") {
		t.Errorf("printed\n%s", got.out)
	}
	for _, c := range []struct{ flags, want string }{
		{"", "which letters? give numbers, flags such as --reason, or --all"},
		{"1 --all", "not both"},
		{"1 --reason refused", "not both"},
		{"--all --older 1d", "--all is every letter"},
		{"--older 2d --newer 1d", "no letter is both"},
		{"--older never", `"never" is not an age`},
		{"--older 99999d", `is not an age`},
		{"--older 0s", `is not an age`},
		{"--tenant a.>", "want a tenant's name"},
		{"1 --why " + strings.Repeat("x", 1001), "--why: has 1001 characters"},
	} {
		for _, verb := range []string{"replay", "drop"} {
			r.run(append([]string{"dead", verb}, strings.Fields(c.flags)...)...).fails(t, 2, c.want)
		}
	}
}

// An event whose device Graph did not know is replayed into TARGETS, and its outcome
// is that of the change which comes of it.
func TestDeadReplayOfATarget(t *testing.T) {
	r := newRig(t)
	r.work()
	e := event(t, "CHG0000001", time.Now(), change(events.Remove, app1))
	e.Device, e.Target = "", "deviceHealthScripts/8f1a/deviceRunStates/77/managedDevice"
	r.publish(e, events.Refused)
	r.run("dead", "list").has(t, "refused  -       acme    CHG0000001  -")
	r.sim.AddRunState(entraTenant, graphsim.RunState{Family: "deviceHealthScripts", Script: "8f1a", State: "77", Device: phone})
	r.run("dead", "replay", "1", "--yes", "--wait").has(t, "replayed  accepted")
	if held := fmt.Sprint(r.sim.Held(entraTenant, phone)); !strings.Contains(held, app1) {
		t.Errorf("Graph holds %s", held)
	}
	r.run("dead", "drop", "1", "--yes").has(t, "dropped")
}
