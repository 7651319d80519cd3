package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"changerelay/internal/events"
	"changerelay/internal/natstest"
	"changerelay/internal/stream"
)

func TestDeadDrop(t *testing.T) {
	r := newRig(t)
	e := event(t, "CHG0000001", time.Now(), change(events.Remove, app1))
	r.bury(e, events.Refused, time.Now())
	if err := r.streams.Park(t.Context(), stream.Parked{Source: "snow", Reason: "body: is no JSON", Body: []byte("{"), At: time.Now()}); err != nil {
		t.Fatal(err)
	}
	r.run("dead", "drop", "--all").fails(t, 1, "will drop 2 letters for good", "nothing was done")
	r.run("dead", "drop", "1", "2", "--yes", "--why", "sent again", "--as", "Ada").want(t, 0, `
LETTER  RESULT  OUTCOME  EVENT  REASON
1  dropped  -  -
2  dropped  -  -`, `
NUMBER  AGE  OUTCOME  SOURCE  TENANT  TICKET  DEVICE  PLAN
1  0s  refused  -  acme  CHG0000001  0f9a6d1e-7b0a-4d0e-9a52-3c1b7f0a1d11  drop
2  0s  invalid  snow  -  -  -  drop

will drop 2 letters for good; the audit trail keeps the SHA-256`)
	r.run("dead", "drop", "1", "--output", "json").want(t, 0, `{"letter":1,"result":"already_gone","reason":"there is no such letter: it was dropped before, its retention is over, or it never was"}`, "")
	r.run("dead", "drop", "--all").want(t, 0, "", "no dead letters")
	if n := r.stored(stream.Dead); n != 0 {
		t.Errorf("%d letters are left", n)
	}
	trail := lines[stream.Audit](t, r.run("audit", "list", "--output", "json").out)
	if len(trail) != 4 {
		t.Fatalf("%+v", trail)
	}
	for i, a := range trail {
		was := struct {
			letter uint64
			data   []byte
			ref    string
		}{1, e.Encode(), e.Ref().String()}
		if i > 1 {
			was.letter, was.data, was.ref = 2, []byte("{"), ""
		}
		if a.Who != "Ada" || a.User == "" || a.User == "Ada" || a.Host == "" || a.Why != "sent again" || a.Action != "drop" ||
			a.Letter != was.letter || a.SHA256 != digest(was.data) || a.Size != len(was.data) || a.Ref != was.ref || time.Since(a.At) > time.Minute {
			t.Errorf("record %d: %+v", i+1, a)
		}
		if state := []stream.AuditState{stream.Asked, stream.Done}[i%2]; a.State != state || i%2 == 1 && a.Of != uint64(i) {
			t.Errorf("record %d is %s of %d", i+1, a.State, a.Of)
		}
	}
}

// A letter whose replay nobody has folded has to stay.
func TestDeadDropDuringAReplay(t *testing.T) {
	r := newRig(t)
	r.bury(event(t, "CHG0000001", time.Now(), change(events.Remove, app1)), events.Refused, time.Now())
	if got := r.run("dead", "replay", "1", "--yes"); got.code != 0 {
		t.Fatal(got)
	}
	r.run("dead", "drop", "1", "--yes").fails(t, 1, "1 of 1 letter could not be dropped", "its replay is under way and needs it")
	r.work()
	if got := r.run("dead", "replay", "1", "--wait"); got.code != 0 {
		t.Fatal(got)
	}
	if got := r.run("dead", "drop", "1", "--yes"); got.code != 0 || !strings.Contains(got.stderr, "drop; its replay ended accepted") {
		t.Error(got)
	}
}

func TestDeadShowAsJSON(t *testing.T) {
	r := newRig(t)
	e := event(t, "CHG0000001", time.Now(), change(events.Remove, app1))
	r.bury(e, events.Refused, time.Now())
	got := lines[letter](t, r.run("dead", "show", "1", "--output", "json").out)[0]
	if !bytes.Equal(got.Body, e.Encode()) || got.SHA256 != digest(e.Encode()) || got.Event != e.Ref().String() || got.Ticket != "CHG0000001" || got.Outcome != events.Refused {
		t.Errorf("%+v", got)
	}
	var listed map[string]any
	if err := json.Unmarshal([]byte(r.run("dead", "list", "--output", "json").out), &listed); err != nil || listed["body"] != nil || listed["sha256"] != digest(e.Encode()) {
		t.Errorf("%v, %v", listed, err)
	}
	r.run("dead", "list", "--output", "json", "--after", "1").want(t, 0, "", "")
}

// Nothing is done that nobody would know of, and what was done is not denied.
func TestDeadDropWithoutAnAuditTrail(t *testing.T) {
	r := newRig(t)
	r.bury(event(t, "CHG0000001", time.Now(), change(events.Remove, app1)), events.Refused, time.Now())
	r.bury(event(t, "CHG0000002", time.Now(), change(events.Remove, app1)), events.Refused, time.Now())
	room := func(n int64) {
		t.Helper()
		js, err := jetstream.New(natstest.Connect(t, r.broker.URL()))
		if err != nil {
			t.Fatal(err)
		}
		s, err := js.Stream(t.Context(), stream.AuditLog)
		if err != nil {
			t.Fatal(err)
		}
		c := s.CachedInfo().Config
		c.MaxMsgs = n
		if _, err := js.UpdateStream(t.Context(), c); err != nil {
			t.Fatal(err)
		}
	}
	room(1)
	if _, err := r.streams.Record(t.Context(), stream.Audit{Action: "test", State: stream.Done, Who: "test", At: time.Now()}); err != nil {
		t.Fatal(err)
	}
	got := r.run("dead", "drop", "1", "2", "--yes")
	got.fails(t, 1, "stopped with 1 letter left")
	if !strings.Contains(got.out, "failed") || !strings.Contains(got.out, "nothing was done, because it could not be recorded") || r.stored(stream.Dead) != 2 {
		t.Errorf("no room for the first record: %+v", got)
	}
	room(2)
	got = r.run("dead", "drop", "1", "--yes")
	if got.code != 1 || !strings.Contains(got.out, "what came of it (dropped) could not be recorded") || r.stored(stream.Dead) != 1 {
		t.Errorf("no room for the second record: %+v", got)
	}
	trail := lines[stream.Audit](t, r.run("audit", "list", "--action", "drop", "--output", "json").out)
	if len(trail) != 1 || trail[0].State != stream.Asked {
		t.Errorf("an act without an end is not to be seen: %+v", trail)
	}
}
