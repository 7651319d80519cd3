package stream

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"changerelay/internal/await"
	"changerelay/internal/events"
	"changerelay/internal/natstest"
)

// of is event n of a ticket of a tenant.
func of(t testing.TB, tenant, ticket string, n int) events.Event {
	t.Helper()
	e, err := events.New(events.Event{
		ID: fmt.Sprintf("%s-%d", ticket, n), Source: "/servicenow/acme", Ticket: ticket, Tenant: tenant,
		Device: fmt.Sprintf("%08d-0000-4000-8000-000000000000", n), Time: decided,
		Changes: []events.Change{{Intent: events.Remove, Item: events.Item{ID: "a", Type: events.Application}}},
	}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// looks are the events of a ticket, each with its state, and how many there are.
func looks(t *testing.T, s *Streams, ticket string, tenants ...string) string {
	t.Helper()
	found, total, err := s.FindTicket(t.Context(), ticket, tenants)
	if err != nil {
		t.Fatal(err)
	}
	words := []string{fmt.Sprint(total)}
	for _, r := range found {
		words = append(words, r.Tenant+":"+strings.TrimLeft(strings.SplitN(r.Device, "-", 2)[0], "0")+":"+r.Status())
	}
	return strings.Join(words, " ")
}

func TestFindTicket(t *testing.T) {
	t.Parallel()
	s := solo(t)
	const ticket = "CHG0031337"
	wants := func(what, want string, tenants ...string) {
		t.Helper()
		if got := looks(t, s, ticket, tenants...); got != want {
			t.Errorf("%s: %s, want %s", what, got, want)
		}
	}
	wants("nothing is stored", "0", "acme")
	one, two, theirs, other := of(t, "acme", ticket, 1), of(t, "acme", ticket, 2), of(t, "globex", ticket, 3), of(t, "acme", "CHG0031338", 4)
	for _, e := range []events.Event{two, one, theirs, other} {
		publish(t, s, e, false)
	}
	wants("a tenant", "2 acme:2:queued acme:1:queued", "acme") // as they were stored
	wants("two tenants", "3 acme:2:queued acme:1:queued globex:3:queued", "acme", "globex")
	wants("another tenant", "0", "initech")
	wants("no tenant", "0")
	if err := s.Report(t.Context(), receipt(one, events.Refused)); err != nil {
		t.Fatal(err)
	}
	wants("one has ended", "2 acme:1:refused acme:2:queued", "acme")

	if _, _, err := s.Replay(t.Context(), one, 7); err != nil {
		t.Fatal(err)
	}
	wants("it is replayed", "3 acme:1:refused acme:2:queued acme:1:queued", "acme")

	if err := s.js.DeleteStream(t.Context(), Changes); err != nil {
		t.Fatal(err)
	}
	if _, err := s.js.CreateStream(t.Context(), jetstream.StreamConfig{Name: Changes, Subjects: []string{events.ChangesPrefix + ">"}}); err != nil {
		t.Fatal(err)
	}
	wants("CHANGES has forgotten", "1 acme:1:refused", "acme")
}

// An event with a target is one event, before and after its device is known.
func TestFindTicketOfATarget(t *testing.T) {
	t.Parallel()
	s := solo(t)
	e := of(t, "acme", "CHG0031337", 1)
	device := e.Device
	e.Device, e.Target = "", "deviceHealthScripts/8f1a/deviceRunStates/1/managedDevice"
	publish(t, s, e, false)
	publish(t, s, of(t, "acme", "CHG0031337", 2), false)
	if got := looks(t, s, e.Ticket, "acme"); got != "2 acme::queued acme:2:queued" {
		t.Errorf("before: %s", got)
	}
	from := e.Ref()
	e.Device = device
	for _, resolved := range []string{"and still in TARGETS", "and acked"} {
		if _, err := s.Resolve(t.Context(), e, from, decided); err != nil {
			t.Fatal(err)
		}
		if got := looks(t, s, e.Ticket, "acme"); got != "2 acme:2:queued acme:1:queued" {
			t.Errorf("resolved, %s: %s", resolved, got)
		}
		if err := s.streams[Targets].Purge(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Report(t.Context(), receipt(e, events.Accepted)); err != nil {
		t.Fatal(err)
	}
	if got := looks(t, s, e.Ticket, "acme"); !strings.HasPrefix(got, "2 ") || !strings.Contains(got, "acme:1:accepted") {
		t.Errorf("ended: %s", got)
	}
}

// Of too many, those that have not ended are shown.
func TestFindTicketIsBounded(t *testing.T) {
	t.Parallel()
	s := solo(t)
	var ended []events.Receipt
	for i := range MaxTicketEvents + 20 {
		e := of(t, "acme", "CHG0031337", i+1)
		publish(t, s, e, false)
		if i < MaxTicketEvents {
			ended = append(ended, receipt(e, events.Accepted))
		}
	}
	if err := s.ReportAll(t.Context(), ended); err != nil {
		t.Fatal(err)
	}
	found, total, err := s.FindTicket(t.Context(), "CHG0031337", []string{"acme"})
	queued := slices.DeleteFunc(slices.Clone(found), func(r events.Receipt) bool { return r.State == events.Final })
	if err != nil || total != MaxTicketEvents+20 || len(found) != MaxTicketEvents || len(queued) != 20 {
		t.Errorf("%d of %d, %d of them queued, %v", len(found), total, len(queued), err)
	}
}

// Who looks for a ticket in CHANGES waits for whoever does so already.
func TestOneWalkAtATime(t *testing.T) {
	t.Parallel()
	s := solo(t)
	publish(t, s, of(t, "acme", "CHG0031337", 1), false)
	s.walk <- struct{}{}
	ctx, cancel := context.WithCancel(t.Context())
	failed := make(chan error)
	go func() {
		_, _, err := s.FindTicket(ctx, "CHG0031337", []string{"acme"})
		failed <- err
	}()
	cancel()
	if err := <-failed; err == nil || !strings.Contains(err.Error(), "other tickets are being looked for") {
		t.Errorf("got %v", err)
	}
	<-s.walk
	if got := looks(t, s, "CHG0031337", "acme"); got != "1 acme:1:queued" {
		t.Errorf("got %s", got)
	}
}

// Whoever listens hears of the outcome, and of no other's.
func TestListen(t *testing.T) {
	t.Parallel()
	b := natstest.Server(t)
	s, elsewhere := open(t, b.URL(), Options{}), open(t, b.URL(), Options{})
	e, other := event(t, 1), event(t, 2)
	target := e
	target.Device = ""
	var heard [4]atomic.Int32
	for i, subject := range []string{e.Ref().OutcomesFilter(), events.FilterTicket("acme", e.Ticket).Outcomes,
		events.FilterTicket("*", e.Ticket).Outcomes, target.Ref().OutcomesFilter()} {
		stop, err := s.Listen(subject, func() { heard[i].Add(1) })
		if err != nil {
			t.Fatal(err)
		}
		defer stop()
	}
	if err := s.nc.Flush(); err != nil { // as the look does that follows
		t.Fatal(err)
	}
	is := func(want ...int32) func() bool {
		return func() bool {
			for i := range heard {
				if heard[i].Load() != want[i] {
					return false
				}
			}
			return true
		}
	}
	for i, step := range []struct {
		e    events.Event
		want []int32
	}{{other, []int32{0, 1, 1, 0}}, {e, []int32{1, 2, 2, 1}}} {
		if err := elsewhere.Report(t.Context(), receipt(step.e, events.Accepted)); err != nil {
			t.Fatal(err)
		}
		await.State(t, fmt.Sprint("step ", i), is(step.want...))
	}
	if n := s.nc.NumSubscriptions(); n < len(heard) {
		t.Errorf("%d subscriptions", n)
	}
}

func TestListenEnds(t *testing.T) {
	t.Parallel()
	nc := natstest.Connect(t, natstest.Server(t).URL())
	s, err := Open(t.Context(), nc, Options{})
	if err != nil {
		t.Fatal(err)
	}
	before := nc.NumSubscriptions()
	stop, err := s.Listen(event(t, 1).Ref().OutcomesFilter(), func() {})
	if err != nil || nc.NumSubscriptions() != before+1 {
		t.Fatalf("%d subscriptions, %v", nc.NumSubscriptions(), err)
	}
	stop()
	if nc.NumSubscriptions() != before {
		t.Errorf("%d subscriptions are left", nc.NumSubscriptions()-before)
	}
	nc.Close()
	if _, err := s.Listen("x", func() {}); err == nil || !strings.Contains(err.Error(), nats.ErrConnectionClosed.Error()) {
		t.Errorf("without a connection: %v", err)
	}
}

// BenchmarkFindTicket looks for a ticket of two events among so many subjects of
// its tenant. held is how long the walk over CHANGES took of it, which publishes
// may wait for.
func BenchmarkFindTicket(b *testing.B) {
	for _, subjects := range []int{1_000, 100_000} {
		b.Run(fmt.Sprint("subjects=", subjects), func(b *testing.B) {
			s, err := Open(b.Context(), natstest.Connect(b, natstest.Server(b).URL()), Options{})
			if err != nil {
				b.Fatal(err)
			}
			crowd(b, s, subjects)
			var walked time.Duration
			for b.Loop() {
				began := time.Now()
				if _, err := s.subjects(b.Context(), Changes, events.FilterTicket("acme", "CHG7").Changes); err != nil {
					b.Fatal(err)
				}
				walked += time.Since(began)
				if found, total, err := s.FindTicket(b.Context(), "CHG7", []string{"acme"}); err != nil || total != 2 || len(found) != 2 {
					b.Fatal(total, err)
				}
			}
			b.ReportMetric(float64(walked.Milliseconds())/float64(b.N), "walk-ms")
		})
	}
}

// crowd stores events, two of each ticket.
func crowd(b *testing.B, s *Streams, n int) {
	b.Helper()
	js, err := jetstream.New(s.nc, jetstream.WithPublishAsyncMaxPending(1024))
	if err != nil {
		b.Fatal(err)
	}
	for i := range n {
		e := of(b, "acme", fmt.Sprint("CHG", i/2), i)
		if _, err := js.PublishMsgAsync(&nats.Msg{Subject: e.Subject(), Data: e.Encode()}); err != nil {
			b.Fatal(err)
		}
	}
	<-js.PublishAsyncComplete()
}

// An outcome is heard whichever servers its writer and its reader are connected to,
// and found once it is stored.
func TestClusterListens(t *testing.T) {
	t.Parallel()
	c := natstest.Cluster(t, 3)
	var ss []*Streams
	for _, url := range c.URLs() {
		ss = append(ss, open(t, url, Options{Replicas: 3}))
	}
	for i, s := range ss {
		var heard atomic.Bool
		e := event(t, i)
		publish(t, s, e, false)
		stop, err := ss[(i+1)%3].Listen(e.Ref().OutcomesFilter(), func() { heard.Store(true) })
		if err != nil {
			t.Fatal(err)
		}
		defer stop()
		// A server learns of who listens at another one a moment later. Readers look now and then for
		// that reason; here the outcome comes again, as from a worker that was not answered.
		await.State(t, "it to be heard", func() bool {
			if err := ss[(i+2)%3].Report(t.Context(), receipt(e, events.Accepted)); err != nil {
				t.Fatal(err)
			}
			return heard.Load()
		})
		if r, err := ss[(i+1)%3].Find(t.Context(), e.Ref()); err != nil || r.State != events.Final {
			t.Errorf("found %+v, %v", r, err)
		}
	}
}
