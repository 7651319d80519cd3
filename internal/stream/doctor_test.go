package stream

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"changerelay/internal/events"
	"changerelay/internal/natstest"
)

// healthy is an exam that finds nothing on a fresh broker.
var healthy = Exam{Tenants: []string{"acme"}, MaxAge: 4 * time.Hour}

// diagnose lists what is not OK, a line each.
func diagnose(t *testing.T, s *Streams, e Exam) (lines []string) {
	t.Helper()
	for _, f := range Doctor(t.Context(), s.nc, s.o, e) {
		if f.What == "" || f.Detail == "" || (f.Level != OK) != (f.Remedy != "") {
			t.Errorf("it is not said what, how or what to do: %+v", f)
		}
		if f.Level != OK {
			lines = append(lines, fmt.Sprintf("%s %s: %s → %s", f.Level, f.What, f.Detail, f.Remedy))
		}
	}
	return lines
}

// usual are the notes of a single server that is well.
var usual = []string{
	"note sync_interval: cannot be seen from this account",
	"note replicas: 1: while its server is away",
	"note CHANGES fold: is not there yet → the first worker makes it",
	"note TARGETS resolve: is not there yet → the first worker makes it",
	"note KV_ledger: is not there yet → the first worker makes it",
	"note KV_quota: is not there yet → the first worker makes it",
}

// unusual leaves the usual ones out.
func unusual(lines []string) []string {
	return slices.DeleteFunc(slices.Clone(lines), func(l string) bool {
		return slices.ContainsFunc(usual, func(u string) bool { return strings.HasPrefix(l, u) })
	})
}

func TestDoctor(t *testing.T) {
	t.Parallel()
	s := solo(t)
	if lines := diagnose(t, s, healthy); len(lines) != len(usual) || len(unusual(lines)) > 0 {
		t.Errorf("on a fresh broker: %s", strings.Join(lines, "\n"))
	}
	healthy := healthy
	healthy.Starting = true
	if lines := diagnose(t, s, healthy); len(unusual(lines)) > 0 || len(lines) != 2 {
		t.Errorf("at the start: %s", strings.Join(lines, "\n"))
	}
}

// A fault is made by an operator, or by nobody caring.
type fault struct {
	name string
	make func(t *testing.T, s *Streams)
	want []string // beginnings of what is said
	fix  func(t *testing.T, s *Streams)
}

// reopen restarts a service.
func reopen(t *testing.T, s *Streams) {
	t.Helper()
	if _, err := Open(t.Context(), s.nc, s.o); err != nil {
		t.Fatal(err)
	}
}

// change edits a stream as an operator does.
func change(name string, f func(*jetstream.StreamConfig)) func(*testing.T, *Streams) {
	return func(t *testing.T, s *Streams) {
		t.Helper()
		st, err := s.js.Stream(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		c := st.CachedInfo().Config
		f(&c)
		if _, err := s.js.UpdateStream(t.Context(), c); err != nil {
			t.Fatal(err)
		}
	}
}

// replace makes a stream anew.
func replace(name string, f func(*jetstream.StreamConfig)) func(*testing.T, *Streams) {
	return func(t *testing.T, s *Streams) {
		t.Helper()
		st, err := s.js.Stream(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		c := st.CachedInfo().Config
		f(&c)
		if err := s.js.DeleteStream(t.Context(), name); err != nil {
			t.Fatal(err)
		}
		if _, err := s.js.CreateStream(t.Context(), c); err != nil {
			t.Fatal(err)
		}
	}
}

func remove(name string) func(*testing.T, *Streams) {
	return func(t *testing.T, s *Streams) {
		t.Helper()
		if err := s.js.DeleteStream(t.Context(), name); err != nil {
			t.Fatal(err)
		}
	}
}

func TestDoctorFindsEditedStreams(t *testing.T) {
	t.Parallel()
	type sc = *jetstream.StreamConfig
	const restart = " → restart a service: it mends it; or nats stream edit "
	for _, c := range []fault{
		{"discard", change(Outcomes, func(c sc) { c.Discard, c.DiscardNewPerSubject = jetstream.DiscardOld, false }), []string{
			"bad OUTCOMES discard: is old, want new: old messages are dropped without a word" + restart + "OUTCOMES --discard=new",
			"bad OUTCOMES discard_new_per_subject: is false, want true: publishers that expect nothing store an event twice" + restart + "OUTCOMES --discard-per-subject"}, reopen},
		{"retention", change(Changes, func(c sc) { c.MaxAge = 2 * time.Hour }), []string{
			"bad CHANGES max_age: is 2h0m0s, want 720h0m0s: the configuration of the services says how long it remembers" + restart + "CHANGES --max-age=720h0m0s",
			"bad CHANGES retention: forgets after 2h0m0s, but an event may be told for 4h0m0s (worker.timing.max_age) → set nats.retention"}, reopen},
		{"direct gets", change(Devices, func(c sc) { c.AllowDirect = true }), []string{
			"bad DEVICES allow_direct: is true, want false: any replica answers, also one that lags: devices are left due with nobody to wake them" + restart + "DEVICES --no-allow-direct"}, reopen},
		{"two a subject", change(Changes, func(c sc) { c.MaxMsgsPerSubject = 5 }), []string{"bad CHANGES max_msgs_per_subject: is 5, want 1"}, reopen},
		{"large", change(Changes, func(c sc) { c.MaxMsgSize = -1 }), []string{"bad CHANGES max_msg_size: is -1, want "}, reopen},
		{"words", change(Dead, func(c sc) { c.Description = "ours" }), []string{
			"note DEAD description: is ours, want events that a person must look at" + restart + `DEAD --description="events that a person must look at"`}, reopen},
		{"subjects", change(Outcomes, func(c sc) { c.Subjects = []string{"outcomes.v1.>", "more"} }), []string{
			"bad OUTCOMES subjects: is outcomes.v1.>,more, want outcomes.v1.>" + restart + "OUTCOMES --subjects=outcomes.v1.>"}, reopen},
		{"bounded", change(Devices, func(c sc) { c.MaxMsgs, c.MaxAge = 10, time.Hour }), []string{
			"bad DEVICES max_msgs: is bounded by number: full, it refuses events, or drops wake-ups → nats stream edit DEVICES --max-msgs=-1",
			"bad DEVICES max_age: forgets what is needed for as long as a device is → nats stream edit DEVICES --max-age=-1"},
			change(Devices, func(c sc) { c.MaxMsgs, c.MaxAge = -1, 0 })},
		{"no acks", change(Targets, func(c sc) { c.NoAck = true }), []string{"bad TARGETS no_ack: nobody is told that a message is stored: every publish fails → nats stream edit TARGETS --ack"},
			change(Targets, func(c sc) { c.NoAck = false })},
		{"transformed", change(Dead, func(c sc) { c.SubjectTransform = &jetstream.SubjectTransformConfig{Source: ">", Destination: "x.>"} }), []string{"bad DEAD subject_transform: "},
			change(Dead, func(c sc) { c.SubjectTransform = nil })},
		{"undroppable", change(Dead, func(c sc) { c.DenyDelete = true }), []string{"bad DEAD deny_delete: dead letters cannot be dropped → it cannot be changed in place"},
			func(t *testing.T, s *Streams) { remove(Dead)(t, s); reopen(t, s) }},
		{"sealed", change(Targets, func(c sc) { c.Sealed = true }), []string{
			"bad TARGETS sealed: takes no messages any more → it cannot be changed in place", "bad TARGETS max_age: is 0s"},
			func(t *testing.T, s *Streams) { remove(Targets)(t, s); reopen(t, s) }},
		{"in memory", replace(Marks, func(c sc) { c.Storage = jetstream.MemoryStorage }), []string{
			"bad KV_marks storage: is memory, want file: in memory, a restart of the broker loses acknowledged events → it cannot be changed in place"},
			func(t *testing.T, s *Streams) { remove(Marks)(t, s); reopen(t, s) }},
		{"kept", replace(Targets, func(c sc) { c.Retention = jetstream.LimitsPolicy }), []string{"bad TARGETS retention: is limits, want workqueue: messages would be forgotten"},
			func(t *testing.T, s *Streams) { remove(Targets)(t, s); reopen(t, s) }},
		{"gone", remove(Outcomes), []string{"bad OUTCOMES: is not there → restart a service: it makes it again"}, reopen},
	} {
		t.Run(c.name, func(t *testing.T) { t.Parallel(); c.run(t, healthy) })
	}
}

// run makes the fault, wants it found, mends it as is said, and wants it gone.
func (c fault) run(t *testing.T, e Exam) {
	t.Helper()
	s := solo(t)
	c.make(t, s)
	c.found(t, s, e)
	if c.fix != nil {
		c.fix(t, s)
		if got := unusual(diagnose(t, s, e)); len(got) > 0 {
			t.Errorf("after the remedy: %s", strings.Join(got, "\n"))
		}
	}
}

func (c fault) found(t *testing.T, s *Streams, e Exam) {
	t.Helper()
	got := unusual(diagnose(t, s, e))
	if len(got) != len(c.want) {
		t.Errorf("it finds %d things, want %d:\n%s", len(got), len(c.want), strings.Join(got, "\n"))
	}
	for _, w := range c.want {
		if !slices.ContainsFunc(got, func(g string) bool { return strings.HasPrefix(g, w) }) {
			t.Errorf("it does not say\n%s\nbut\n%s", w, strings.Join(got, "\n"))
		}
	}
}

// Buckets of other packages are held to what those declare.
func TestDoctorFindsEditedBuckets(t *testing.T) {
	t.Parallel()
	s := solo(t)
	for _, d := range s.buckets() {
		c := jetstream.StreamConfig{Name: d.name}
		d.set(&c)
		c.AllowDirect = true
		if _, err := s.js.CreateStream(t.Context(), c); err != nil {
			t.Fatal(err)
		}
	}
	change("KV_ledger", func(c *jetstream.StreamConfig) { c.MaxAge = time.Hour })(t, s)
	fault{want: []string{
		"bad KV_ledger allow_direct: is true, want false: any replica answers, also one that lags: devices are left due with nobody to wake them",
		"bad KV_ledger max_age: forgets what is needed for as long as a device is → nats stream edit KV_ledger --max-age=-1",
		"bad KV_quota allow_direct: is true, want false",
	}}.found(t, s, healthy)
}

func TestDoctorWithoutARelay(t *testing.T) {
	t.Parallel()
	nc := natstest.Connect(t, natstest.Server(t).URL())
	fs := Doctor(t.Context(), nc, Options{}, healthy)
	if got := fs[len(fs)-1]; got != (Finding{Bad, "streams", "the broker has no stream CHANGES", "has the relay run with this broker, and as this user?"}) {
		t.Errorf("on an empty broker: %+v", fs)
	}
}

// A broker that is away is said to be, in time.
func TestDoctorWithoutABroker(t *testing.T) {
	t.Parallel()
	b := natstest.Server(t)
	nc := natstest.Connect(t, b.URL())
	b.Stop()
	began := time.Now()
	fs := Doctor(t.Context(), nc, Options{}, healthy)
	if took := time.Since(began); took > DoctorFor || len(fs) == 0 || !slices.ContainsFunc(fs, func(f Finding) bool { return f.Level == Bad }) {
		t.Errorf("after %v: %+v", took, fs)
	}
}

func bury(t *testing.T, s *Streams, n int, o events.Outcome) {
	t.Helper()
	e := event(t, n)
	if err := s.Bury(t.Context(), DeadLetter{Ref: e.Ref(), Outcome: o, Reason: "no", Data: e.Encode(), At: time.Now()}); err != nil {
		t.Fatal(err)
	}
}

func send(t *testing.T, s *Streams, subject string, data []byte) {
	t.Helper()
	if _, err := s.put(t.Context(), &nats.Msg{Subject: subject, Data: data}); err != nil {
		t.Fatal(err)
	}
}
