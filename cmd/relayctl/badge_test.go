package main

import (
	"strings"
	"testing"

	"changerelay/internal/events"
)

// An id without a device can be guessed: it is signed for, by status and by send.
func TestStatusSignsForAnIDWithoutADevice(t *testing.T) {
	r := newRig(t)
	file := r.write("event.json", `{"specversion":"1.0","id":"1","source":"/desk","type":"changerelay.change.v1","time":"2026-11-22T15:42:00Z","subject":"CHG0031337",
		"data":{"tenant":"acme","target":"deviceHealthScripts/1/deviceRunStates/2/managedDevice","changes":[{"intent":"remove","item":{"id":"`+app1+`","type":"application"}}]}}`)
	id := "acme." + events.TicketToken("CHG0031337") + "." + events.Key("/desk", "1")
	got := r.run("send", "--file", file, "--wait", "--timeout", "300ms")
	got.fails(t, 1, "there is no outcome after 300ms; ask again later: relayctl status "+id)
	if !strings.Contains(got.out, "Graph has to say first which device is meant") {
		t.Errorf("printed\n%s", got.out)
	}
	for _, args := range [][]string{{"status", id}, {"status", "--source", "slack", id}} {
		if got := r.run(args...); got.code != 0 || !strings.Contains(norm(got.out), "ticket  CHG0031337") {
			t.Errorf("%v: %+v", args, got)
		}
	}
	r.run("status", "--source", "snow", id).fails(t, 1, "the source snow is of kind servicenow, which cannot ask")
	r.run("status", "--source", "slack", strings.Replace(id, "acme", "globex", 1)).fails(t, 1, "403 forbidden: tenant: source slack may not ask for tenant globex")
	r.run("status", "--config", "/none.yaml", id).fails(t, 1, "there is no file /none.yaml")
	r.write("desk", "whsec_bm90IHRoZSByZWxheSdz\n")
	r.run("status", id).fails(t, 1, "401 unauthorized", "is the secret of source desk in "+r.config+" the relay's")
}
