package stream

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"changerelay/internal/await"
	"changerelay/internal/events"
)

// consumer makes one, or changes it.
func consumer(stream string, c jetstream.ConsumerConfig) func(*testing.T, *Streams) {
	return func(t *testing.T, s *Streams) {
		t.Helper()
		if _, err := s.js.CreateOrUpdateConsumer(t.Context(), stream, c); err != nil {
			t.Fatal(err)
		}
	}
}

// declared makes one as workers do.
func declared(t *testing.T, s *Streams, stream string, c jetstream.ConsumerConfig) {
	t.Helper()
	if err := s.ensure(t.Context(), feed{stream: stream, config: c}); err != nil {
		t.Fatal(err)
	}
}

func TestDoctorFindsEditedConsumers(t *testing.T) {
	t.Parallel()
	type cc = jetstream.ConsumerConfig
	drop := func(stream, name string) func(*testing.T, *Streams) {
		return func(t *testing.T, s *Streams) {
			t.Helper()
			if err := s.js.DeleteConsumer(t.Context(), stream, name); err != nil {
				t.Fatal(err)
			}
		}
	}
	folded := func(t *testing.T, s *Streams) { declared(t, s, Changes, s.folder()) }
	const restart = " → restart the workers: they mend it; or nats consumer edit CHANGES fold --"
	for _, c := range []fault{
		{"counted", consumer(Changes, cc{Durable: "fold", AckPolicy: jetstream.AckExplicitPolicy, AckWait: time.Second, MaxDeliver: 5, MaxAckPending: 10}), []string{
			"bad CHANGES fold ack_wait: is 1s, want 45s: shorter, two workers have the same message" + restart + "wait=45s",
			"bad CHANGES fold max_deliver: is 5, want -1: messages that were tried so often are dropped without a word" + restart + "max-deliver=-1",
			"bad CHANGES fold max_ack_pending: is 10, want -1: messages put back for later block all others" + restart + "max-pending=-1"}, folded},
		{"unacked", consumer(Changes, cc{Durable: "fold", AckPolicy: jetstream.AckNonePolicy, MaxDeliver: -1}), []string{
			"bad CHANGES fold ack_policy: is none, want explicit: messages count as done before they are → nats consumer rm CHANGES fold: a worker makes it again",
			"bad CHANGES fold ack_wait: ", "bad CHANGES fold max_ack_pending: "}, func(t *testing.T, s *Streams) { drop(Changes, "fold")(t, s); folded(t, s) }},
		{"late", consumer(Changes, cc{Durable: "fold", AckPolicy: jetstream.AckExplicitPolicy, AckWait: AckWait, MaxDeliver: -1, MaxAckPending: -1, DeliverPolicy: jetstream.DeliverNewPolicy}), []string{
			"bad CHANGES fold deliver_policy: does not begin with the first message: older ones are left out → nats consumer rm CHANGES fold"},
			func(t *testing.T, s *Streams) { drop(Changes, "fold")(t, s); folded(t, s) }},
		{"headers", func(t *testing.T, s *Streams) {
			folded(t, s)
			c := s.folder()
			c.HeadersOnly = true
			consumer(Changes, c)(t, s)
		}, []string{"bad CHANGES fold headers_only: messages come without their bodies → nats consumer edit CHANGES fold --no-headers-only"}, func(t *testing.T, s *Streams) { consumer(Changes, s.folder())(t, s) }},
		{"paused", func(t *testing.T, s *Streams) {
			folded(t, s)
			if _, err := s.js.PauseConsumer(t.Context(), Changes, "fold", time.Now().Add(time.Hour)); err != nil {
				t.Fatal(err)
			}
		}, []string{"bad CHANGES fold pause_until: is paused: nothing is delivered → nats consumer resume CHANGES fold"}, func(t *testing.T, s *Streams) {
			if _, err := s.js.ResumeConsumer(t.Context(), Changes, "fold"); err != nil {
				t.Fatal(err)
			}
		}},
		{"filtered", func(t *testing.T, s *Streams) {
			c := s.reconciler("acme")
			c.FilterSubject = events.DevicesPrefix + "acme.a"
			consumer(Devices, c)(t, s)
		}, []string{`bad DEVICES reconcile-acme filter_subject: is "devices.v1.acme.a", want "devices.v1.acme.*": messages are left out → restart the workers: they mend it`},
			func(t *testing.T, s *Streams) { declared(t, s, Devices, s.reconciler("acme")) }},
		{"reader", consumer(Changes, cc{Durable: "reader"}), []string{"note CHANGES reader: is not the relay's; it reads along → if nobody needs it: nats consumer rm CHANGES reader"}, drop(Changes, "reader")},
		{"thief", consumer(Targets, cc{Durable: "thief", AckPolicy: jetstream.AckExplicitPolicy}), []string{
			"bad TARGETS thief: is not the relay's, and takes messages from the workers: each is delivered once → nats consumer rm TARGETS thief"}, drop(Targets, "thief")},
		{"former tenant", func(t *testing.T, s *Streams) { declared(t, s, Devices, s.reconciler("former")) }, []string{
			"note DEVICES reconcile-former: is of a tenant that is not configured → if it does not come back: nats consumer rm DEVICES reconcile-former"}, drop(Devices, "reconcile-former")},
	} {
		t.Run(c.name, func(t *testing.T) { t.Parallel(); c.run(t, healthy) })
	}
}

func TestDoctorFindsWorkThatWaits(t *testing.T) {
	t.Parallel()
	for _, c := range []fault{
		{"no worker", func(t *testing.T, s *Streams) {
			if _, err := s.Publish(t.Context(), event(t, 1)); err != nil {
				t.Fatal(err)
			}
		}, []string{"bad CHANGES fold: is not there, and 1 messages are: no worker runs → start a worker: it makes it"},
			func(t *testing.T, s *Streams) { declared(t, s, Changes, s.folder()) }},
		{"unknown tenant", func(t *testing.T, s *Streams) {
			wake(t, s, events.Address{Tenant: "former", Device: event(t, 1).Device})
		},
			[]string{"bad DEVICES tenant former: 1 devices are due, and the tenant is not configured: their changes are neither made nor given up → configure tenants.former"},
			func(t *testing.T, s *Streams) {
				if err := s.streamOf(t, Devices).Purge(t.Context(), jetstream.WithPurgeSubject("devices.v1.former.*")); err != nil {
					t.Fatal(err)
				}
			}},
		{"strange wake-up", func(t *testing.T, s *Streams) { send(t, s, "devices.v1.acme.nothing", nil) },
			[]string{`note DEVICES wake-ups: "devices.v1.acme.nothing" names no device → a worker of its tenant drops it`}, nil},
		{"letters", func(t *testing.T, s *Streams) {
			bury(t, s, 1, events.Refused)
			bury(t, s, 2, events.Refused)
			bury(t, s, 3, events.Expired)
		}, []string{"note DEAD letters: 1 expired, 2 refused for a person → relayctl dead list"}, nil},
		{"a fast worker", func(t *testing.T, s *Streams) { outcome(t, s, time.Minute) },
			[]string{"bad worker clock: the worker of the last outcome is 1m0s ahead of the broker; more than 5s lets calls overlap → run NTP on both"},
			func(t *testing.T, s *Streams) { outcome(t, s, 0) }},
		{"a slow worker", func(t *testing.T, s *Streams) { outcome(t, s, -time.Hour) }, []string{"bad worker clock: the worker of the last outcome is 1h0m0s behind the broker"}, nil},
		{name: "old outcomes", make: func(t *testing.T, s *Streams) { send(t, s, "outcomes.v1.acme.a.b.c", []byte("{}")) }},
	} {
		t.Run(c.name, func(t *testing.T) { t.Parallel(); c.run(t, healthy) })
	}
}

// What lies for longer than anything may is found: here the broker's clock has
// gone on since.
func TestDoctorFindsWhatIsLate(t *testing.T) {
	t.Parallel()
	s := solo(t)
	declared(t, s, Changes, s.folder())
	declared(t, s, Targets, s.resolver())
	wake(t, s, event(t, 1).Address())
	if _, err := s.Publish(t.Context(), event(t, 1)); err != nil {
		t.Fatal(err)
	}
	send(t, s, "targets.v1.acme.a.b", nil)
	await.State(t, "the consumers to know of both", func() bool {
		return s.pending(t, Changes, foldConsumer) == 1 && s.pending(t, Targets, resolveConsumer) == 1
	})
	for later, want := range map[time.Duration][]string{
		0:             {"ok CHANGES backlog: 1 events are on their way into the ledger", "ok DEVICES tenant acme: 1 devices are due"},
		foldLate:      {"bad CHANGES backlog: 1 events are not folded, the oldest for 15m", "ok DEVICES tenant acme: 1 devices are due"},
		6 * time.Hour: {"bad CHANGES backlog: ", "bad TARGETS backlog: 1 events, the oldest for 6h0m0s: none should be older than 4h0m0s", "bad DEVICES tenant acme: 1 devices are due, the longest for 6h0m0s: no worker looks at them"},
	} {
		x := &exam{Exam: healthy, s: s, denials: listen(s.nc)}
		var got []string
		for _, p := range x.look(t.Context()) {
			if p.info != nil {
				p.info.TimeStamp = p.info.TimeStamp.Add(later)
				for _, f := range x.examine(t.Context(), p) {
					if strings.Contains(f.What, "backlog") || strings.Contains(f.What, "tenant") {
						got = append(got, fmt.Sprintf("%s %s: %s", f.Level, f.What, f.Detail))
					}
				}
			}
		}
		x.denials.stop()
		if len(got) != len(want) {
			t.Errorf("%v later: %q", later, got)
			continue
		}
		for i := range got {
			if !strings.HasPrefix(got[i], want[i]) {
				t.Errorf("%v later: %s, want %s", later, got[i], want[i])
			}
		}
	}
}

func (s *Streams) streamOf(t *testing.T, name string) jetstream.Stream {
	t.Helper()
	st, err := s.js.Stream(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	return st
}

// pending is how many messages a consumer has not handed out: it learns of each a moment
// after its publisher.
func (s *Streams) pending(t *testing.T, stream, consumer string) uint64 {
	t.Helper()
	c, err := s.js.Consumer(t.Context(), stream, consumer)
	if err != nil {
		t.Fatal(err)
	}
	return c.CachedInfo().NumPending
}

// outcome is one whose worker's clock is ahead.
func outcome(t *testing.T, s *Streams, ahead time.Duration) {
	t.Helper()
	e := event(t, int(ahead/time.Second)+7200)
	r := events.Receipt{ID: e.Ref().String(), Ticket: e.Ticket, Tenant: e.Tenant, Device: e.Device, Outcome: events.Accepted}
	send(t, s, e.Ref().OutcomeSubject(events.TicketToken(e.Ticket)), r.Encode(time.Now().Add(ahead)))
}

// A stream that fills up is found in time, and its size foreseen.
func TestDoctorForesees(t *testing.T) {
	t.Parallel()
	info := func(f func(*jetstream.StreamInfo)) *patient {
		i := &jetstream.StreamInfo{Config: jetstream.StreamConfig{MaxAge: 30 * day, MaxMsgsPerSubject: 1}}
		i.State.Msgs, i.State.Bytes = 1_000_000, 1_000_000_000
		i.State.LastTime = time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)
		i.State.FirstTime = i.State.LastTime.Add(-10 * day)
		f(i)
		return &patient{declaration: declaration{name: Changes}, info: i}
	}
	for _, c := range []struct {
		name string
		p    *patient
		want []string
	}{
		{"steady", info(func(*jetstream.StreamInfo) {}), []string{"ok CHANGES size: 1000000 messages, 1 GB on disk, about 250 MB of each replica's memory; 100000 a day, so after 720h0m0s 3 GB on disk and 750 MB of memory → "}},
		{"large", info(func(i *jetstream.StreamInfo) { i.State.Msgs *= 10 }), []string{"note CHANGES size: 10000000 messages, 1 GB on disk, about 2.5 GB of each replica's memory; 1000000 a day, so after 720h0m0s 3 GB on disk and 7.5 GB of memory → see that the servers have that memory"}},
		{"bounded", info(func(i *jetstream.StreamInfo) { i.Config.MaxBytes = 2_000_000_000 }), []string{
			"ok CHANGES fill: 50 % of 2 GB are used → ",
			"note CHANGES size: 1000000 messages, 1 GB on disk, about 250 MB of each replica's memory; 100000 a day, so after 720h0m0s 3 GB on disk and 750 MB of memory; it is full in 10 days → raise max_bytes"}},
		{"full", info(func(i *jetstream.StreamInfo) { i.Config.MaxBytes = 1_400_000_000 }), []string{
			"bad CHANGES fill: 71 % of 1.4 GB are used; full, CHANGES refuses messages → raise it (nats stream edit CHANGES --max-bytes=…), or shorten nats.retention",
			"note CHANGES size: "}},
		{"young", info(func(i *jetstream.StreamInfo) { i.State.FirstTime = i.State.LastTime.Add(-time.Minute) }), []string{"ok CHANGES size: 1000000 messages, 1 GB on disk, about 250 MB of each replica's memory → "}},
		{"empty", info(func(i *jetstream.StreamInfo) { i.State = jetstream.StreamState{} }), nil},
	} {
		var got []string
		for _, f := range (&exam{}).size(c.p) {
			got = append(got, fmt.Sprintf("%s %s: %s → %s", f.Level, f.What, f.Detail, f.Remedy))
		}
		if len(got) != len(c.want) {
			t.Errorf("%s: %q", c.name, got)
			continue
		}
		for i := range got {
			if !strings.HasPrefix(got[i], c.want[i]) {
				t.Errorf("%s:\n%s\nwant\n%s", c.name, got[i], c.want[i])
			}
		}
	}
}
