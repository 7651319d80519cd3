package standalone

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"changerelay/internal/await"
	"changerelay/internal/events"
	"changerelay/internal/graphsim"
	"changerelay/internal/ingest"
	"changerelay/internal/ingest/verify"
	"changerelay/internal/quota"
	"changerelay/internal/relay"
	"changerelay/internal/stream"
	"changerelay/internal/working"
)

// markedSecret signs deliveries whose id is not signed.
const markedSecret = "marked-secret-not-for-logs"

var marked = verify.Scheme{Header: "X-Signature", Algorithm: "sha256", Encoding: "hex", Signed: "{timestamp}{body}",
	IDHeader: "X-Delivery", TimestampHeader: "X-Timestamp", TimestampFormat: "unix"}

// An overheard message is one that somebody published in the relay's account, or
// in that of people.
type overheard struct{ subject, reply, when string }

// An ear hears all that is published in these accounts.
type ear struct {
	mu    sync.Mutex
	when  string // what the test does
	heard []overheard
}

func (e *ear) now(when string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.when = when
}

func (e *ear) hear(m *nats.Msg) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.heard = append(e.heard, overheard{m.Subject, m.Reply, e.when})
}

// used reports whether a user has published what a pattern permits. Who it was
// is told by where its answers go.
func (e *ear) used(user, pattern string) bool {
	inbox, when := map[string]string{
		ingestUser: "_INBOX.changerelay-ingest.", workerUser: "_INBOX.changerelay-worker.", readUser: "_INBOX.relayctl.", operateUser: "_INBOX.relayctl.",
	}[user], map[string]string{readUser: "read", operateUser: "operate"}[user]
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.ContainsFunc(e.heard, func(o overheard) bool {
		theirs := strings.HasPrefix(o.reply, inbox) || o.reply == "" && user == workerUser && strings.HasPrefix(o.subject, "$JS.ACK.") // who else acks?
		return theirs && (when == "" || when == o.when) && server.SubjectMatchesFilter(o.subject, pattern)
	})
}

// Everybody works with the rights that the manual gives, each right is used, and
// what is beyond them the broker refuses.
func TestPermissions(t *testing.T) {
	t.Parallel()
	g := guarded(t)
	g.tenant("acme", "a", "b")
	g.tenant("other", "c")
	root, _ := g.as(observerUser)
	all := &ear{}
	for _, account := range []string{"RELAY", "READERS", "OPERATORS"} {
		nc, _ := g.as(observer(account))
		if _, err := nc.Subscribe(">", all.hear); err != nil {
			t.Fatal(err)
		}
	}
	js, err := jetstream.New(root)
	if err != nil {
		t.Fatal(err)
	}

	g.ready(g.start(relay.Worker))
	g.altered(js)
	g.ready(g.start(relay.Worker)) // brings the streams back into agreement
	in := g.start(relay.Ingest, func(p *relay.Parts, _ *working.Parts) {
		s := ingest.Source{Name: "marked", Kind: "cloudevents", Tenants: []string{"acme"}}
		s.Checks.Signature = &verify.Signature{Scheme: marked, Keys: []verify.Key{{Secret: markedSecret}}}
		p.Sources = append(p.Sources, s)
		tenant := directory("acme")
		p.Quotas = map[string]relay.Quota{"acme": {TenantID: tenant.ID, ClientID: tenant.ClientID, Write: quota.DefaultWrite}}
	})
	g.ready(in)

	g.throughIngest(in)
	g.straight(in, js)
	all.now("read")
	g.reads()
	all.now("operate")
	g.operates(in)
	g.settled(js)

	for _, u := range g.users {
		if u.Username == producerUser {
			continue // its publishes come from another account
		}
		for _, pattern := range u.Permissions.Publish.Allow {
			if !all.used(u.Username, pattern) {
				t.Errorf("%s may publish to %s, and never does", u.Username, pattern)
			}
		}
	}
	if g.logged("Permissions Violation") {
		t.Error("the broker has refused the relay something")
	}
	g.refusals(js)
}

// altered changes every stream, as an older version of the relay may have left it.
func (g *guard) altered(js jetstream.JetStream) {
	g.t.Helper()
	g.running[0].stop()
	for info := range js.ListStreams(g.t.Context()).Info() {
		c := info.Config
		c.Description = "of an older version"
		if _, err := js.UpdateStream(g.t.Context(), c); err != nil {
			g.t.Fatal(err)
		}
	}
}

// throughIngest sends what makes ingest use its rights: an event, a duplicate, one
// whose device is not known, a delivery that is marked, twice, and what nobody can
// read.
func (g *guard) throughIngest(in *process) {
	g.t.Helper()
	for range 2 {
		if a := g.send(in.ingest, "desk", "1", change("1", "a", "app1")); a.code >= 300 {
			g.t.Fatal(a)
		}
	}
	if got := g.outcome(in.ingest, events.Ref{Address: events.Address{Tenant: "acme", Device: uuid("a")}, Key: events.Key("/desk", "1")}.String()); got.Outcome != events.Accepted {
		g.t.Errorf("%+v", got)
	}
	g.sim.AddRunState(uuid("acme"), graphsim.RunState{Family: "deviceHealthScripts", Script: "8f1a", State: "77", Device: uuid("b")})
	e := g.event("by-target", "", "app2")
	if a := g.send(in.ingest, "desk", "2", e.Encode()); a.code != http.StatusAccepted || g.outcome(in.ingest, a.ID).Outcome != events.Accepted {
		g.t.Error(a)
	}
	e = g.event("marked", "a", "app3")
	h, err := verify.Sign(marked, markedSecret, "delivery-1", time.Now(), e.Encode())
	if err != nil {
		g.t.Fatal(err)
	}
	for range 2 {
		if a, err := g.do(g.unsigned(in.ingest+"/v1/hooks/marked", h.Clone(), e.Encode())); err != nil || a.code >= 300 {
			g.t.Error(a, err)
		}
	}
	for _, body := range []string{`{"sys_id":`, `{"number":"CHG0031877","approval":"approved"}`} {
		if a := g.send(in.ingest, "servicenow", "", []byte(body)); a.code != http.StatusUnprocessableEntity {
			g.t.Error(a)
		}
	}
	if a, err := g.do(g.look(in.ingest + "/v1/changes?ticket=CHG0031877")); err != nil || !strings.Contains(a.text, `"id":"dead.2"`) {
		g.t.Error(a, err)
	}
}

// event is one of the tenant acme that removes an app; without a device it has a
// target.
func (g *guard) event(id, device, app string) events.Event {
	g.t.Helper()
	e := events.Event{ID: id, Source: "/direct", Ticket: "CHG-" + id, Tenant: "acme", Time: approved,
		Changes: []events.Change{{Intent: events.Remove, Item: events.Item{ID: uuid(app), Type: events.Application}}}}
	if e.Device = uuid(device); device == "" {
		e.Device, e.Target = "", "deviceHealthScripts/8f1a/deviceRunStates/77/managedDevice"
	}
	e, err := events.New(e, time.Now())
	if err != nil {
		g.t.Fatal(err)
	}
	return e
}

// straight publishes as the producer: events in both modes and to both streams,
// one for another device than its subject says, and two for devices that nobody
// knows yet. It hears the outcomes of all.
func (g *guard) straight(in *process, root jetstream.JetStream) {
	g.t.Helper()
	g.hearing(root)
	nc, complaints := g.as(producerUser)
	js, err := jetstream.New(nc)
	if err != nil {
		g.t.Fatal(err)
	}
	heard := hearOutcomes(g.t, nc)
	plain, target, forged, inHeaders := g.event("plain", "b", "app4"), g.event("target", "", "app5"), g.event("forged", "b", "app6"), g.event("binary", "a", "app7")
	elsewhere, lie := forged, inBinary(g.t, forged)
	elsewhere.Device = uuid("a")
	lie.Subject = elsewhere.Subject()
	gone, nowhere := g.event("gone", "late", "app8"), g.event("nowhere", "", "app9")
	nowhere.Target = "deviceHealthScripts/8f1a/deviceRunStates/88/managedDevice"
	for _, m := range []*nats.Msg{
		{Subject: plain.Subject(), Data: plain.Encode()},
		{Subject: target.Subject(), Data: target.Encode()},
		lie,
		inBinary(g.t, inHeaders),
		inBinary(g.t, gone),
		{Subject: nowhere.Subject(), Data: nowhere.Encode()},
	} {
		if _, err := js.PublishMsg(g.t.Context(), m, jetstream.WithExpectLastSequenceForSubject(0, once(m.Subject))); err != nil {
			g.t.Fatalf("%s: %v", m.Subject, err)
		}
		_, err := js.PublishMsg(g.t.Context(), m, jetstream.WithExpectLastSequenceForSubject(0, once(m.Subject)))
		taken := err == nil && strings.HasPrefix(m.Subject, events.TargetsPrefix) // by a worker, out of its queue
		if !taken && !strings.Contains(fmt.Sprint(err), "10071") {
			g.t.Errorf("%s, again: %v", m.Subject, err)
		}
	}
	for _, e := range []events.Event{plain, target, inHeaders} {
		if got := g.outcome(in.ingest, e.Ref().String()); got.Outcome != events.Accepted {
			g.t.Errorf("%s: %+v", e.ID, got)
		}
	}
	for _, e := range []events.Event{gone, nowhere} {
		if got := g.outcome(in.ingest, e.Ref().String()); got.Outcome != events.Refused {
			g.t.Errorf("%s: %+v", e.ID, got)
		}
	}
	if got := g.outcome(in.ingest, elsewhere.Ref().String()); got.Outcome != events.Invalid || !strings.Contains(got.Reason, "subject: the device is "+uuid("a")) {
		g.t.Errorf("%+v", got)
	}
	await.State(g.t, "the producer to have heard every outcome", func() bool {
		return heard(plain, events.Accepted) && heard(inHeaders, events.Accepted) && heard(elsewhere, events.Invalid) && heard(gone, events.Refused)
	})
	if complaints.has("violation") {
		g.t.Errorf("the broker complains: %v", complaints.list)
	}
}

// hearing makes the producer's consumer, as the manual has an administrator do.
func (g *guard) hearing(root jetstream.JetStream) {
	g.t.Helper()
	if _, err := root.CreatePushConsumer(g.t.Context(), stream.Outcomes, jetstream.ConsumerConfig{Durable: "acme", FilterSubject: "outcomes.v1.acme.>",
		DeliverSubject: "deliver.outcomes.acme", AckPolicy: jetstream.AckExplicitPolicy}); err != nil {
		g.t.Fatal(err)
	}
}

// once is what an event's publish expects nothing to be stored under.
func once(subject string) string {
	if i := strings.LastIndexByte(subject, '.'); strings.HasPrefix(subject, events.ChangesPrefix) {
		return subject[:i] + ".*"
	}
	return subject
}

// hearOutcomes is the producer's part of its consumer: it reports whether an
// event's outcome has come.
func hearOutcomes(t testing.TB, nc *nats.Conn) func(events.Event, events.Outcome) bool {
	t.Helper()
	var mu sync.Mutex
	got := map[string]events.Outcome{}
	if _, err := nc.Subscribe("deliver.outcomes.acme", func(m *nats.Msg) {
		r, err := events.ParseReceipt(m.Data)
		if err != nil {
			t.Errorf("%s: %v", m.Subject, err)
		}
		if m.AckSync() != nil {
			return // the test ends; else it waits for this one, and says so
		}
		mu.Lock()
		defer mu.Unlock()
		got[r.ID] = r.Outcome
	}); err != nil {
		t.Fatal(err)
	}
	return func(e events.Event, o events.Outcome) bool {
		mu.Lock()
		defer mu.Unlock()
		return got[e.Ref().String()] == o
	}
}

// inBinary is the event in binary mode.
func inBinary(t testing.TB, e events.Event) *nats.Msg {
	t.Helper()
	var v struct{ Data json.RawMessage }
	if err := json.Unmarshal(e.Encode(), &v); err != nil {
		t.Fatal(err)
	}
	return &nats.Msg{Subject: e.Subject(), Data: v.Data, Header: nats.Header{"ce-specversion": {"1.0"}, "ce-id": {e.ID}, "ce-source": {e.Source},
		"ce-type": {events.Type}, "ce-time": {e.Time.Format(time.RFC3339Nano)}, "ce-subject": {e.Ticket}, "ce-datacontenttype": {"application/json"}}}
}

// says wants a program to have printed each text.
func (g *guard) says(printed string, texts ...string) {
	g.t.Helper()
	for _, text := range texts {
		if !strings.Contains(printed, text) {
			g.t.Errorf("relayctl does not say %q:\n%s", text, printed)
		}
	}
}

// reads is what relayctl does that changes nothing.
func (g *guard) reads() {
	g.t.Helper()
	relayctl := g.relayctl(readUser)
	list := relayctl("dead", "list", "--open")
	g.says(list, "invalid", "refused", "CHG-gone")
	if n := strings.Count(list, "acme"); n != 3 {
		g.t.Errorf("relayctl lists %d dead letters of acme, want the three events that failed:\n%s", n, list)
	}
	g.says(relayctl("dead", "show", "1"), "webhook servicenow")
	g.says(relayctl("device", "acme", uuid("a")), uuid("app7"))
	relayctl("audit", "list")
	g.says(relayctl("tenants"), "acme")
	g.says(relayctl("doctor"), "KV_ledger")

	g.forbidden(readUser, "$JS.API.STREAM.MSG.DELETE.DEAD", g.event("x", "a", "app1").Subject(), "audit.v1.x", "$JS.API.STREAM.MSG.GET.KV_marks",
		"$KV.ledger.acme."+uuid("a"), "$JS.API.STREAM.PURGE.DEAD", "$JS.API.CONSUMER.CREATE.DEAD.x")
}

// operates replays dead letters, to both streams, and drops the forged one.
func (g *guard) operates(in *process) {
	g.t.Helper()
	g.tenant("acme", "late") // it is enrolled by now
	g.sim.AddRunState(uuid("acme"), graphsim.RunState{Family: "deviceHealthScripts", Script: "8f1a", State: "88", Device: uuid("late")})
	relayctl := g.relayctl(operateUser)
	replayed := relayctl("dead", "replay", "--reason", "refused", "--yes")
	ids := regexp.MustCompile(`acme\.\S+-r[0-9]+`).FindAllString(replayed, -1)
	if len(ids) != 2 {
		g.t.Fatalf("relayctl has not replayed two events:\n%s", replayed)
	}
	for _, id := range ids {
		if got := g.outcome(in.ingest, id); got.Outcome != events.Accepted || got.Device != uuid("late") {
			g.t.Errorf("%+v", got)
		}
	}
	g.says(relayctl("dead", "replay", "--reason", "refused", "--yes"), "already_replayed")
	g.says(relayctl("dead", "drop", "--reason", "invalid", "--tenant", "acme", "--yes"), "dropped")
	g.says(relayctl("device", "acme", uuid("late")), uuid("app8"), uuid("app9"))
	g.resumes(in)
	g.says(relayctl("audit", "list", "-o", "json"), `"action":"replay"`, `"action":"drop"`, `"action":"resume"`, `"nats":"`+operateUser)
}

// resumes says that a tenant is mended whose permission was lost, as an operator.
// The status shows what an event waits for, until then.
func (g *guard) resumes(in *process) {
	g.t.Helper()
	mend := g.sim.Fail(graphsim.Fault{Op: "get", Status: http.StatusForbidden, Times: -1})
	a := g.send(in.ingest, "desk", "3", change("3", "b", "app1"))
	await.State(g.t, "the event to wait for its tenant", func() bool {
		r := g.receipt(in.ingest, a.ID, "")
		return r.Status == string(events.Waiting) && strings.Contains(r.Reason, "turns the tenant's application down")
	})
	mend()
	g.says(g.relayctl(operateUser)("tenants", "resume", "acme", "--yes"), "call it again at once", "resumed")
	if got := g.outcome(in.ingest, a.ID); got.Outcome != events.Accepted {
		g.t.Errorf("%+v", got)
	}
}

// refusals are what the rights do not hold.
func (g *guard) refusals(root jetstream.JetStream) {
	g.t.Helper()
	before := g.counts(root)
	theirs := events.Ref{Address: events.Address{Tenant: "other", Device: uuid("c")}, Key: events.Key("/direct", "1")}
	stranger := events.ChangesPrefix + theirs.String() + "." + events.TicketToken("CHG1")
	document := "$KV.ledger.other." + uuid("c")
	apis := []string{"$JS.API.STREAM.INFO.CHANGES", "$JS.API.STREAM.MSG.GET.CHANGES", "$JS.API.CONSUMER.CREATE.CHANGES.mine", "$JS.API.CONSUMER.MSG.NEXT.CHANGES.fold",
		"$JS.API.DIRECT.GET.CHANGES", "$JS.API.STREAM.MSG.DELETE.CHANGES", "$JS.API.STREAM.PURGE.CHANGES", "$JS.API.STREAM.DELETE.CHANGES", "$JS.API.CONSUMER.DELETE.CHANGES.fold",
		"$JS.API.STREAM.UPDATE.CHANGES", "$JS.API.STREAM.CREATE.MINE", "$JS.API.CONSUMER.CREATE.OUTCOMES.mine"}
	others := []string{"devices.v1.acme." + uuid("a"), "dead.v1.invalid.unknown.s1", theirs.OutcomeSubject(events.TicketToken("CHG1")), document,
		"$KV.marks.x", "$KV.quota.x", "audit.v1.x", "$JS.ACK.CHANGES.fold.1.1.1.1.0", "$JS.ACK.DEVICES.reconcile-acme.1.1.1.1.0"}
	g.forbidden(producerUser, slices.Concat(apis, others, []string{stranger, theirs.TargetSubject(), events.TargetsPrefix + "other.x"})...)
	g.deaf(producerUser, ">", "changes.v1.>", "outcomes.v1.other.>", "deliver.outcomes.other")

	deletes := []string{"$JS.API.STREAM.DELETE.CHANGES", "$JS.API.STREAM.PURGE.CHANGES", "$JS.API.STREAM.MSG.DELETE.CHANGES", "$JS.API.CONSUMER.DELETE.CHANGES.fold", "$JS.API.CONSUMER.PAUSE.CHANGES.fold"}
	acks := []string{"$JS.ACK.CHANGES.fold.1.1.1.1.0", "$JS.ACK.TARGETS.resolve.1.1.1.1.0", "$JS.ACK.DEVICES.reconcile-acme.1.1.1.1.0"}
	g.forbidden(ingestUser, slices.Concat(deletes, acks, []string{document, "$KV.quota.x", "devices.v1.acme." + uuid("a"), "outcomes.v1.acme.a.b.c", "dead.v1.refused.acme.a.b",
		"$JS.API.STREAM.CREATE.CHANGES", "$JS.API.STREAM.UPDATE.CHANGES",
		"$JS.API.CONSUMER.CREATE.CHANGES.fold", "$JS.API.CONSUMER.MSG.NEXT.CHANGES.fold", "$JS.API.CONSUMER.MSG.NEXT.DEVICES.reconcile-acme", "audit.v1.x"})...)
	g.forbidden(workerUser, append(deletes, "targets.v1.acme.x.y", "$KV.marks.x", "audit.v1.x")...)
	g.forbidden(operateUser, slices.Concat(deletes, acks, []string{document, "$KV.quota.x", "devices.v1.acme." + uuid("a"), "outcomes.v1.acme.a.b.c", "dead.v1.refused.acme.a.b", "$JS.API.STREAM.MSG.DELETE.AUDIT"})...)
	for _, user := range []string{ingestUser, workerUser, readUser, operateUser} {
		g.deaf(user, ">", "changes.v1.>", "_INBOX.>", "$JS.API.>")
	}

	// The acknowledgement of a publish goes wherever its publisher says, but not
	// out of the account that it is in.
	nc, _ := g.as(producerUser)
	for i, reply := range []string{document, stranger, theirs.WakeSubject(), "$JS.API.STREAM.PURGE.KV_ledger", "$JS.API.CONSUMER.DELETE.CHANGES.fold"} {
		e := g.event(fmt.Sprint("reply-", i), "a", "app1")
		if err := nc.PublishMsg(&nats.Msg{Subject: e.Subject(), Reply: reply, Data: e.Encode()}); err != nil {
			g.t.Fatal(err)
		}
		before[stream.Changes]++
		await.State(g.t, "the event to be stored", func() bool { return g.counts(root)[stream.Changes] == before[stream.Changes] })
	}
	g.settled(root)
	after := g.counts(root)
	for _, name := range []string{stream.Changes, stream.Targets, stream.Dead, "KV_ledger", stream.Marks} {
		if after[name] != before[name] {
			g.t.Errorf("%s had %d messages and has %d", name, before[name], after[name])
		}
	}
	info, err := root.Stream(g.t.Context(), "KV_ledger")
	if err != nil {
		g.t.Fatal(err)
	}
	if m, err := info.GetLastMsgForSubject(g.t.Context(), document); err == nil {
		g.t.Errorf("the producer of acme wrote %s to the document of another tenant's device", m.Data)
	}
}

// counts is how many messages each stream has.
func (g *guard) counts(js jetstream.JetStream) map[string]uint64 {
	g.t.Helper()
	n := map[string]uint64{}
	for info := range js.ListStreams(g.t.Context()).Info() {
		n[info.Config.Name] = info.State.Msgs
	}
	return n
}
