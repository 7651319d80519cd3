package main

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"changerelay/internal/natstest"
	"changerelay/internal/stream"
)

func TestAuditList(t *testing.T) {
	r := newRig(t)
	r.run("audit", "list").want(t, 0, "no audit records", "")
	at := time.Now()
	for i, a := range []stream.Audit{
		{Action: "replay", State: stream.Asked, Tenant: "acme", Ticket: "CHG1", Outcome: "refused", Letter: 7},
		{Action: "replay", State: stream.Done, Tenant: "acme", Ticket: "CHG1", Outcome: "refused", Letter: 7, Of: 1, Result: "replayed acme.x.y", Why: "two\nlines\x1b[2J"},
		{Action: "drop", State: stream.Asked, Tenant: "globex", Letter: 8},
		{Action: "drop", State: stream.Failed, Letter: 9, Result: "the message broker is not available"},
	} {
		a.Who, a.User, a.Host, a.At = "Ada", "root", "ops-1", at.Add(time.Duration(i)*time.Second)
		if _, err := r.streams.Record(t.Context(), a); err != nil {
			t.Fatal(err)
		}
	}
	r.run("audit", "list").want(t, 0, `
NUMBER  TIME  WHO  ACTION  STATE  LETTER  OUTCOME  TENANT  TICKET  RESULT  WHY
1  TIME  Ada  replay  asked  7  refused  acme  CHG1  -
2  TIME  Ada  replay  done  7  refused  acme  CHG1  replayed acme.x.y  two lines [2J
3  TIME  Ada  drop  asked  8  -  globex  -  -
4  TIME  Ada  drop  failed  9  -  -  -  the message broker is not available`, "")
	for flags, want := range map[string]string{
		"":                            "[1 2 3 4]",
		"--tenant acme":               "[1 2]",
		"--tenant unknown":            "[4]",
		"--action drop":               "[3 4]",
		"--last 1":                    "[4]",
		"--last 3 --since 1h":         "[2 3 4]",
		"--last 9 --tenant acme":      "[1 2]",
		"--action drop --last 1":      "[4]",
		"--since 1ms --action replay": "[]",
	} {
		var numbers []uint64
		for _, l := range lines[struct{ Number uint64 }](t, r.run(append([]string{"audit", "list", "--output", "json"}, strings.Fields(flags)...)...).out) {
			numbers = append(numbers, l.Number)
		}
		if fmt.Sprint(numbers) != want {
			t.Errorf("%s: %v, want %s", flags, numbers, want)
		}
	}
	r.run("audit", "list", "--tenant", "*.*").fails(t, 2, "want a tenant's name")
	r.run("audit", "list", "--last", "-1").fails(t, 2, "--last")
}

// The broker knows its users by name.
func TestTheBrokersUserIsKnown(t *testing.T) {
	for name, opt := range map[string]natstest.Option{
		"":     func(*server.Options) {},
		"olga": func(o *server.Options) { o.Users = []*server.User{{Username: "olga", Password: "secret"}} },
	} {
		url := natstest.Server(t, opt).URL()
		if name != "" {
			url = strings.Replace(url, "//", "//olga:secret@", 1)
		}
		nc := natstest.Connect(t, url)
		if got := (&broker{nc: nc}).user(t.Context()); got != name {
			t.Errorf("the user is %q, want %q", got, name)
		}
	}
}
