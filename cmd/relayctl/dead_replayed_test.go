package main

import (
	"testing"
	"time"

	"changerelay/internal/events"
)

// A list says which letters somebody has replayed, and has only the others with
// --open; show says who it was.
func TestDeadListSaysWhatIsReplayed(t *testing.T) {
	r := newRig(t)
	for i, ticket := range []string{"CHG0000001", "CHG0000002", "CHG0000003"} {
		at := time.Now().Add(time.Duration(i-3) * time.Hour)
		r.bury(event(t, ticket, at, change(events.Remove, app1)), events.Expired, at)
	}
	const open = `
NUMBER  AGE  OUTCOME  SOURCE  TENANT  TICKET  DEVICE  REPLAYED  REASON
1  3h  expired  -  acme  CHG0000001  ` + phone + `  -  for the test
2  2h  expired  -  acme  CHG0000002  ` + phone + `  -  for the test
3  1h  expired  -  acme  CHG0000003  ` + phone + `  -  for the test`
	r.run("dead", "list", "--open").want(t, 0, open, "")
	if got := r.run("dead", "replay", "2", "--yes", "--as", "Ada"); got.code != 0 {
		t.Fatal(got)
	}
	got := r.run("dead", "list")
	got.has(t, "1  3h  expired  -  acme  CHG0000001  "+phone+"  -  for the test", "2  2h  expired  -  acme  CHG0000002  "+phone+"  queued, ")
	r.run("dead", "list", "--open", "--limit", "2").want(t, 0, `
NUMBER  AGE  OUTCOME  SOURCE  TENANT  TICKET  DEVICE  REPLAYED  REASON
1  3h  expired  -  acme  CHG0000001  `+phone+`  -  for the test
3  1h  expired  -  acme  CHG0000003  `+phone+`  -  for the test

next: relayctl dead list --after 3 --open --limit 2`, "")
	r.run("dead", "list", "--open", "--ticket", "CHG0000002").want(t, 0, "no dead letter is open; relayctl dead list shows all", "")

	shown := lines[letter](t, r.run("dead", "show", "2", "-o", "json").out)[0]
	if shown.Replayed == nil || shown.Replayed.Who != "Ada" || shown.Replayed.Outcome != "" || time.Since(shown.Replayed.At) > time.Minute {
		t.Errorf("it is shown as replayed %+v", shown.Replayed)
	}
	r.run("dead", "show", "2").has(t, "\nreplayed  queued, ", ", by Ada, as acme."+phone+".")
	if l := lines[letter](t, r.run("dead", "show", "1", "-o", "json").out)[0]; l.Replayed != nil {
		t.Errorf("it is shown as replayed %+v", l.Replayed)
	}

	r.work() // now it ends
	r.run("dead", "replay", "2", "--wait").has(t, "already_replayed  accepted")
	listed := lines[letter](t, r.run("dead", "list", "-o", "json").out)
	if len(listed) != 3 || listed[1].Replayed == nil || listed[1].Replayed.Outcome != events.Accepted || listed[1].Replayed.Event != shown.Replayed.Event || listed[0].Replayed != nil {
		t.Errorf("they are listed as %+v", listed)
	}
}
