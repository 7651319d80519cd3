package graph_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"changerelay/internal/graph"
)

const ours = `"@odata.type":"#microsoft.graph.changeAssignmentsActionResult"`

func TestActionResult(t *testing.T) {
	c := newCloud(t, false)
	c.graph = reply(200, `{"id":"x","deviceActionResults":[
		{"@odata.type":"#microsoft.graph.locateDeviceActionResult","actionName":7,"startDateTime":false},
		"not even an object",
		{`+ours+`,"actionName":"whatever","actionState":"pending","startDateTime":"2026-11-23T10:00:00.1234567Z","deviceAssignmentItems":[
			{"itemId":"ZZ","itemType":"deviceConfiguration","assignmentItemActionIntent":"remove","assignmentItemActionStatus":"initiated"},
			{"itemId":"Aa","itemType":"application","assignmentItemActionIntent":"remove","assignmentItemActionStatus":"removed","errorCode":0},
			{"itemId":"M","itemType":"newerType","assignmentItemActionIntent":"Remove","assignmentItemActionStatus":"error","intentActionMessage":"device said no","errorCode":-2016281112},
			{"itemId":"r2","itemType":"application","assignmentItemActionIntent":"restore","assignmentItemActionStatus":"succeeded"},
			{"itemId":"R1","itemType":"application","assignmentItemActionIntent":"restore","assignmentItemActionStatus":"error","intentActionMessage":null},
			{"itemId":"u","assignmentItemActionIntent":"unknownFutureValue"},
			{"itemId":"d"}]}]}`, "request-id", "r-9")
	got, err := c.client(t).ActionResult(t.Context(), graph.ManagedDevice(device))
	if err != nil {
		t.Fatal(err)
	}
	want := graph.Result{
		Shown:    true,
		Removed:  []graph.Item{{"aa", "application"}, {"d", "application"}, {"m", "newerType"}, {"zz", "deviceConfiguration"}},
		Restored: []graph.Item{{"r1", "application"}, {"r2", "application"}},
		Failed:   map[string]string{"m": "device said no (error -2016281112)", "r1": "no reason given"}, RequestID: "r-9",
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	_, calls := c.got()
	in := calls[0]
	if in.method != "GET" || in.uri != "/beta/deviceManagement/managedDevices/"+device+"?$select=id,deviceActionResults" ||
		in.header.Get("Prefer") != "include-unknown-enum-members" || in.body != "" {
		t.Errorf("%+v", in)
	}
}

// one returns an element with one removed item.
func one(head, started, item string) string {
	return fmt.Sprintf(`{%s,"startDateTime":"%s","deviceAssignmentItems":[{"itemId":"%s"}]}`, head, started, item)
}

func TestWhichResultIsOurs(t *testing.T) {
	const name = `"actionName":"ChangeAssignments"`
	c := newCloud(t, false)
	g := c.client(t)
	for body, want := range map[string]string{
		``:                 "", // an empty list
		one(name, "", "n"): "n",
		one(`"@odata.type":"x","actionName":"wipe"`, "", "w"):                                             "",
		one(strings.Replace(ours, "#", "x.", 1), "", "t"):                                                 "t",
		one(strings.Replace(ours, "change", "CHANGE", 1), "", "t"):                                        "t",
		one(name, "2026-11-24T00:00:00Z", "n") + "," + one(ours, "2026-11-23T00:00:00Z", "t"):             "t",
		one(ours, "2026-11-23T00:00:00Z", "t") + "," + one(name, "2026-11-24T00:00:00Z", "n"):             "t",
		one(ours, "2026-11-24T00:00:00Z", "new") + "," + one(ours, "2026-11-23T00:00:00Z", "old"):         "new",
		one(ours, "2026-11-23T00:00:00Z", "old") + "," + one(ours, "2026-11-23T00:00:00.0000001Z", "new"): "new",
		one(ours, "nonsense", "first") + "," + one(ours, "nonsense", "last"):                              "last",
		`{` + ours + `,"actionState":"pending"}`:                                                          "", // no items: the base type
		`{` + ours + `,"deviceAssignmentItems":null}`:                                                     "",
	} {
		c.graph = reply(200, `{"deviceActionResults":[`+body+`]}`)
		r, err := g.ActionResult(t.Context(), graph.ManagedDevice(device))
		got := ""
		for _, i := range r.Removed {
			got += i.ID
		}
		if err != nil || got != want || r.Shown != (want != "") {
			t.Errorf("%s: %q shown %v %v, want %q", body, got, r.Shown, err, want)
		}
	}
}

func TestNothingShownProvesNothing(t *testing.T) {
	c := newCloud(t, false)
	g := c.client(t)
	for _, body := range []string{`{}`, `{"deviceActionResults":null}`, `{"deviceActionResults":{}}`, `{"deviceActionResults":[]}`, `{"DeviceActionResults":[]}`} {
		c.graph = reply(200, body)
		if r, err := g.ActionResult(t.Context(), graph.ManagedDevice(device)); err != nil || r.Shown {
			t.Errorf("%s: %+v %v", body, r, err)
		}
	}
	c.graph = reply(200, `{"deviceActionResults":[{`+ours+`,"deviceAssignmentItems":[]}]}`)
	if r, err := g.ActionResult(t.Context(), graph.ManagedDevice(device)); err != nil || !r.Shown || len(r.Removed) != 0 {
		t.Errorf("%+v %v", r, err)
	}
}

func TestUnreadableResultIsNoResult(t *testing.T) {
	c := newCloud(t, false)
	g := c.client(t)
	for _, body := range []string{
		``, `<html>`, `[]`, `{"deviceActionResults":[`, `{"deviceActionResults":[{` + ours + `,"deviceAssignmentItems":[{"itemId":7}]}]}`,
		`{"deviceActionResults":[{` + ours + `,"deviceAssignmentItems":[{"itemType":"application"}]}]}`,
		`{"deviceActionResults":[{` + ours + `,"deviceAssignmentItems":[7]}]}`,
		`{"deviceActionResults":[]}` + strings.Repeat(" ", 1<<20),
	} {
		c.graph = reply(200, body)
		if e := kind(t, read(t, g), graph.Unavailable); e.Status != 200 {
			t.Errorf("%.80s: %v", body, e)
		}
	}
}

func TestItemListedTwice(t *testing.T) {
	c := newCloud(t, false)
	g := c.client(t)
	item := func(id, intent, at string) string {
		return fmt.Sprintf(`{"itemId":"%s","assignmentItemActionIntent":"%s","lastActionDateTime":"%s"}`, id, intent, at)
	}
	early, late := "2026-11-23T10:00:00Z", "2026-11-23T11:00:00Z"
	c.graph = reply(200, `{"deviceActionResults":[{`+ours+`,"deviceAssignmentItems":[`+strings.Join([]string{
		item("a", "remove", late), item("A", "restore", early), item("b", "remove", early), item("B", "restore", late),
	}, ",")+`]}]}`)
	r, err := g.ActionResult(t.Context(), graph.ManagedDevice(device))
	if err != nil || !reflect.DeepEqual(r.Removed, []graph.Item{{"a", "application"}}) || !reflect.DeepEqual(r.Restored, []graph.Item{{"b", "application"}}) {
		t.Errorf("%+v %v", r, err)
	}
}
