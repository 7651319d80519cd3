package main

import (
	"crypto/sha256"
	"fmt"
	"strings"
	"testing"
	"time"

	"changerelay/internal/events"
	"changerelay/internal/stream"
)

func TestDeadLetters(t *testing.T) {
	r := newRig(t)
	r.run("dead", "list").want(t, 0, "no dead letters", "")
	e := event(t, "CHG0000001", time.Now().Add(-3*time.Hour), change(events.Remove, app1))
	for _, l := range []stream.DeadLetter{
		{Ref: e.Ref(), Outcome: events.Refused, Reason: "Graph refused the set", Data: e.Encode(), Origin: e.Subject(), Sequence: 7, At: time.Now().Add(-3*time.Hour - time.Minute)},
		{Outcome: events.Invalid, Reason: "no event", Data: []byte("{\"subject\":\"CHG\\u001b[2J\"}\x1b[2J"), Origin: "changes.v1.x", Sequence: 8, At: time.Now().Add(-90 * time.Second)},
		{Outcome: events.Invalid, Reason: "no ticket" + strings.Repeat("!", 100), Data: []byte(`{"subject":"CHG0000003\u001b[2J"}`), Origin: "changes.v1.y", Sequence: 9, At: time.Now()},
	} {
		if err := r.streams.Bury(t.Context(), l); err != nil {
			t.Fatal(err)
		}
	}
	r.run("dead", "list").want(t, 0, `
NUMBER  AGE  OUTCOME  SOURCE  TENANT  TICKET           DEVICE                                REPLAYED  REASON
1       3h   refused  -       acme    CHG0000001       0f9a6d1e-7b0a-4d0e-9a52-3c1b7f0a1d11  -  Graph refused the set
2       1m   invalid  -       -       -                -                                     -  no event
3       0s   invalid  -       -       CHG0000003 [2J   -                                     -  no ticket`+strings.Repeat("!", 81)+`…
`, "")
	if got := r.run("dead", "list", "--reason", "invalid", "--limit", "1"); !strings.Contains(got.out, "no event") || !strings.HasSuffix(got.out, "\nnext: relayctl dead list --after 2 --reason invalid --limit 1\n") {
		t.Errorf("printed\n%s", got.out)
	}
	if got := r.run("dead", "list", "--after", "1"); strings.Contains(got.out, "refused") || !strings.Contains(got.out, "no event") {
		t.Errorf("printed\n%s", got.out)
	}
	r.run("dead", "list", "--tenant", "globex").want(t, 0, "no dead letter is so; relayctl dead list shows all", "")

	r.run("dead", "show", "1").want(t, 0, `
number    1
outcome   refused
reason    Graph refused the set
ticket    CHG0000001
event     acme.0f9a6d1e-7b0a-4d0e-9a52-3c1b7f0a1d11.KEY
given up  TIME
subject   dead.v1.refused.acme.0f9a6d1e-7b0a-4d0e-9a52-3c1b7f0a1d11.KEY
received  changes.v1.acme.0f9a6d1e-7b0a-4d0e-9a52-3c1b7f0a1d11.KEY.`+events.TicketToken("CHG0000001")+`
sequence  7 in CHANGES
bytes     `+fmt.Sprint(len(e.Encode()))+`

`+string(e.Encode()), "")
	if got := r.run("dead", "show", "2"); strings.Contains(got.out, "\x1b") || !strings.Contains(got.out, "|u001b[2J\"}.[2J|") {
		t.Errorf("printed\n%s", got.out)
	}
	if got := r.run("dead", "show", "2", "--raw"); got.out != "{\"subject\":\"CHG\\u001b[2J\"}\x1b[2J" {
		t.Errorf("printed %q", got.out)
	}
	r.run("dead", "show", "12").fails(t, 1, "there is no dead letter 12; relayctl dead list has those that there are")
	r.run("dead", "list", "--reason", "refusd").fails(t, 2, "--reason must be one of")
	r.run("dead", "list", "--tenant", "a.>").fails(t, 2, "--tenant: want a tenant's name")
}

// What a sender's template has broken is shown with whom to ask about it.
func TestParkedBodies(t *testing.T) {
	r := newRig(t)
	at := time.Now().Add(-3 * time.Hour)
	large := strings.Repeat("x", 2<<20)
	for _, p := range []stream.Parked{
		{Source: "snow", Delivery: "d-1\x1b[2J", Reason: "body: is no JSON", Body: []byte(`{"subject":"VPN",}`), At: at},
		{Source: "desk", Reason: "body: is no JSON", Body: []byte(large), At: at},
	} {
		if err := r.streams.Park(t.Context(), p); err != nil {
			t.Fatal(err)
		}
	}
	r.run("dead", "list").want(t, 0, `
NUMBER  AGE  OUTCOME  SOURCE  TENANT  TICKET  DEVICE  REPLAYED  REASON
1       3h   invalid  snow    -       -       -       -  body: is no JSON
2       3h   invalid  desk    -       -       -       -  body: is no JSON
`, "")
	digest := fmt.Sprintf("%x", sha256.Sum256([]byte(`{"subject":"VPN",}`)))
	r.run("dead", "show", "1").want(t, 0, `
number    1
outcome   invalid
reason    body: is no JSON
source    snow
delivery  d-1 [2J
given up  TIME
subject   dead.v1.invalid.unknown.snow-`+digest+`
received  webhook snow
bytes     18
sha256    `+digest+`

{"subject":"VPN",}`, "")
	if got := r.run("dead", "show", "2"); !strings.Contains(norm(got.out), "bytes  the first 1040384 of 2097152: the broker takes no more in one message\n") {
		t.Errorf("printed\n%.1000s", got.out)
	}
	if got := r.run("dead", "show", "2", "--raw"); got.out != large[:1040384] {
		t.Errorf("printed %d bytes", len(got.out))
	}
}
