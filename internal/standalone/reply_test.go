package standalone

import (
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"changerelay/internal/await"
	"changerelay/internal/events"
	"changerelay/internal/relay"
)

// The broker writes an answer wherever its request says, and asks for no right to
// that subject. So a user of the relay's account that may look, as ingest, can write
// over a device's document; people have accounts of their own, and cannot.
func TestAnswersStayInTheirAccount(t *testing.T) {
	t.Parallel()
	g := guarded(t)
	root, _ := g.as(observerUser)
	js, err := jetstream.New(root)
	if err != nil {
		t.Fatal(err)
	}
	worker := g.start(relay.Worker)
	g.ready(worker)
	worker.stop() // what is stored from here on is the broker's
	for user, inbox := range map[string]string{readUser: "_INBOX.relayctl.x", operateUser: "_INBOX.relayctl.x"} {
		g.misdirected(user, inbox)
		for name, n := range g.counts(js) {
			if n > 0 {
				t.Errorf("an answer to %s is in %s", user, name)
			}
		}
	}
	g.misdirected(ingestUser, "_INBOX.changerelay-ingest.x")
	await.State(t, "an answer to ingest to be stored as a device's document", func() bool { return g.counts(js)["KV_ledger"] > 0 })
}

// misdirected looks at a stream as a user, with subjects that the user has no right
// to for the answers. The last answer comes to its inbox, when the others are written.
func (g *guard) misdirected(user, inbox string) {
	g.t.Helper()
	nc, _ := g.as(user)
	mine, err := nc.SubscribeSync(inbox)
	if err != nil {
		g.t.Fatal(err)
	}
	ref := events.Ref{Address: events.Address{Tenant: "acme", Device: uuid("a")}, Key: events.Key("/direct", "1")}
	for _, reply := range []string{"$KV.ledger.acme." + uuid("a"), "$KV.quota.x", ref.WakeSubject(), ref.OutcomeSubject(events.TicketToken("CHG1")), "dead.v1.invalid.unknown.s1",
		"$JS.API.STREAM.PURGE.KV_ledger", "$JS.API.STREAM.DELETE.CHANGES", inbox} {
		if err := nc.PublishMsg(&nats.Msg{Subject: "$JS.API.STREAM.INFO.DEAD", Reply: reply}); err != nil {
			g.t.Fatal(err)
		}
	}
	if _, err := mine.NextMsg(10 * time.Second); err != nil {
		g.t.Fatalf("%s hears no answer: %v", user, err)
	}
}
