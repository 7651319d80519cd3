package stream

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"changerelay/internal/events"
	"changerelay/internal/natstest"
)

// replaying is a record as dead replay makes it.
var replaying = Audit{
	Action: ActionReplay, State: Asked, Who: "Ada", User: "root", Host: "ops-1", NATS: "operator", Why: "policy mended",
	Letter: 12, Outcome: events.Refused, Tenant: "acme", Ticket: "CHG0031337", Ref: "acme.x.y", SHA256: "ab", Size: 7,
	At: time.Date(2026, 11, 23, 10, 0, 0, 5, time.UTC),
}

func TestAuditRecordsAreReadBack(t *testing.T) {
	t.Parallel()
	s := solo(t)
	first, err := s.Record(t.Context(), replaying)
	if err != nil {
		t.Fatal(err)
	}
	done := replaying
	done.State, done.Of, done.Result = Done, first, "replayed"
	parked := Audit{Action: ActionDrop, State: Failed, Who: "root", User: "root", Host: "ops-1", Result: "two\nlines", At: replaying.At}
	for _, a := range []Audit{done, parked} {
		if _, err := s.Record(t.Context(), a); err != nil {
			t.Fatal(err)
		}
	}
	parked.Result = "two lines"
	want := []Audit{replaying, done, parked}
	for i := range want {
		want[i].Number = uint64(i + 1)
	}
	for _, c := range []struct {
		filter string
		after  uint64
		most   int
		want   []Audit
	}{
		{AuditPrefix + "*.*", 0, 10, want},
		{AuditPrefix + "*.*", 1, 1, want[1:2]},
		{AuditPrefix + "replay.*", 0, 10, want[:2]},
		{AuditPrefix + "*.unknown", 0, 10, want[2:]},
		{AuditPrefix + "drop.acme", 0, 10, nil},
	} {
		if got, err := s.Audits(t.Context(), c.filter, c.after, c.most); err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s above %d: %+v, %v\nwant %+v", c.filter, c.after, got, err, c.want)
		}
	}
}

// A record is a CloudEvent that other services can read.
func TestAuditRecordOnTheWire(t *testing.T) {
	want := `{"specversion":"1.0","id":"i","source":"/relayctl","type":"changerelay.audit.v1","time":"2026-11-23T10:00:00.000000005Z","subject":"CHG0031337","datacontenttype":"application/json",` +
		`"data":{"action":"replay","state":"asked","who":"Ada","user":"root","host":"ops-1","nats":"operator","why":"policy mended","letter":12,"outcome":"refused","tenant":"acme",` +
		`"ticket":"CHG0031337","event":"acme.x.y","sha256":"ab","size":7,"at":"2026-11-23T10:00:00.000000005Z"}}`
	if got := string(replaying.encode("i")); got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
}

// Neither those who are recorded nor a full stream makes a record go away.
func TestAuditRecordsStay(t *testing.T) {
	t.Parallel()
	s := solo(t)
	for range 3 {
		if _, err := s.Record(t.Context(), replaying); err != nil {
			t.Fatal(err)
		}
	}
	st := s.streams[AuditLog]
	if err := st.DeleteMsg(t.Context(), 1); err == nil {
		t.Error("a record can be deleted")
	}
	if err := st.Purge(t.Context()); err == nil {
		t.Error("the records can be purged")
	}
	c := st.CachedInfo().Config
	c.DenyDelete, c.DenyPurge = false, false
	if _, err := s.js.UpdateStream(t.Context(), c); err == nil {
		t.Error("the protection can be taken away")
	}
	c = st.CachedInfo().Config
	if c.MaxAge != AuditFor || c.Discard != jetstream.DiscardNew || c.AllowDirect || c.Retention != jetstream.LimitsPolicy {
		t.Errorf("the stream is kept as %+v", c)
	}
	if n := stored(t, s, AuditLog); n != 3 {
		t.Errorf("%d records", n)
	}
}

func TestAuditRecordsOfAnotherHand(t *testing.T) {
	t.Parallel()
	s := solo(t)
	for _, body := range []string{"{", `{"type":"x"}`, `{"type":"changerelay.audit.v1","data":{"state":"perhaps"}}`, `{"type":"changerelay.audit.v1","data":{"state":"done"}}`} {
		if _, err := s.put(t.Context(), &nats.Msg{Subject: AuditPrefix + "drop.acme", Data: []byte(body)}); err != nil {
			t.Fatal(err)
		}
	}
	as, err := s.Audits(t.Context(), AuditPrefix+">", 0, 10)
	if err != nil || len(as) != 4 {
		t.Fatalf("%+v, %v", as, err)
	}
	for _, a := range as {
		if a.Action != "drop" || a.Tenant != "acme" || a.At.IsZero() || !strings.HasPrefix(a.Result, "unreadable: ") {
			t.Errorf("%+v", a)
		}
	}
}

func TestAuditBefore(t *testing.T) {
	t.Parallel()
	s := solo(t)
	if n, err := s.AuditBefore(t.Context(), time.Now()); n != 0 || err != nil {
		t.Errorf("of none: %d, %v", n, err)
	}
	for range 20 {
		if _, err := s.Record(t.Context(), replaying); err != nil {
			t.Fatal(err)
		}
	}
	for _, n := range []uint64{1, 2, 11, 20} {
		m, err := s.streams[AuditLog].GetMsg(t.Context(), n)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := s.AuditBefore(t.Context(), m.Time); got != n-1 || err != nil {
			t.Errorf("before record %d: %d, %v", n, got, err)
		}
	}
	if got, err := s.AuditBefore(t.Context(), time.Now()); got != 20 || err != nil {
		t.Errorf("before now: %d, %v", got, err)
	}
}

func TestReplayRefAndTwin(t *testing.T) {
	t.Parallel()
	s := solo(t)
	e := event(t, 1)
	other := e
	other.Ticket = "CHG0000002"
	if _, err := s.Publish(t.Context(), e); err != nil {
		t.Fatal(err)
	}
	if _, err := s.put(t.Context(), &nats.Msg{Subject: other.Subject(), Data: other.Encode()}); err != nil {
		t.Fatal(err)
	}
	for seq, twin := range map[uint64]bool{1: false, 2: true} {
		if got, err := s.Twin(t.Context(), DeadLetter{Ref: e.Ref(), Sequence: seq}); got != twin || err != nil {
			t.Errorf("message %d: %v, %v", seq, got, err)
		}
	}
	replay := e.Ref()
	replay.Key += "-r3"
	for _, l := range []DeadLetter{{Ref: e.Ref(), Number: 7}, {Ref: replay, Number: 7}} {
		ref, _, err := s.Replay(t.Context(), e, l.Number)
		if want := fmt.Sprint(e.Ref(), "-r7"); err != nil || ref != l.ReplayRef() || ref.String() != want {
			t.Errorf("%v and %v, want %s; %v", ref, l.ReplayRef(), want, err)
		}
	}
	if ref := (DeadLetter{Number: 7}).ReplayRef(); ref != (events.Ref{}) {
		t.Errorf("of no event: %v", ref)
	}
}

// BenchmarkLetters is what a page of dead letters costs.
func BenchmarkLetters(b *testing.B) {
	s, err := Open(b.Context(), natstest.Connect(b, natstest.Server(b).URL()), Options{})
	if err != nil {
		b.Fatal(err)
	}
	for n := range 2000 {
		if err := s.Bury(b.Context(), DeadLetter{Subject: fmt.Sprintf("%sinvalid.unknown.n%d", events.DeadPrefix, n), Outcome: events.Invalid, Data: make([]byte, 500)}); err != nil {
			b.Fatal(err)
		}
	}
	for b.Loop() {
		if ls, err := s.Letters(b.Context(), events.DeadPrefix+"*.*.>", 0, 2000); err != nil || len(ls) != 2000 {
			b.Fatal(len(ls), err)
		}
	}
}
