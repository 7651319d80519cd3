package worker

import (
	"slices"
	"time"

	"changerelay/internal/graphsim"
)

// unreadable are successes that cannot be read.
func unreadable() []how {
	return []how{
		{name: "204", fault: graphsim.Fault{Status: 204}},
		{name: "200 page of Graph", fault: graphsim.Fault{Body: "<html>Bearer " + planted}},
		{name: "half of a result", fault: graphsim.Fault{Body: `{"deviceActionResults":[{"actionName":"changeAssignments","access_token":"` + planted}},
		{name: "a result of another shape", fault: graphsim.Fault{Body: `{"deviceActionResults":[{"actionName":"changeAssignments","deviceAssignmentItems":[{"itemId":7}]}]}`}},
		{name: "an item without an id", fault: graphsim.Fault{Body: `{"deviceActionResults":[{"actionName":"changeAssignments","deviceAssignmentItems":[{"itemType":"application"}]}]}`}},
	}
}

// blank are reads that show nothing of our action.
func blank() []how {
	return []how{
		{name: "no properties", fault: graphsim.Fault{Body: `{}`}},
		{name: "null", fault: graphsim.Fault{Body: `{"deviceActionResults":null}`}},
		{name: "no results", fault: graphsim.Fault{Body: `{"deviceActionResults":[]}`}},
		{name: "results without items", fault: graphsim.Fault{Body: `{"deviceActionResults":[{"actionName":"changeAssignments"}]}`}},
		{name: "an empty list", fault: graphsim.Fault{Body: `{"deviceActionResults":[{"actionName":"changeAssignments","deviceAssignmentItems":[]}]}`}},
		{name: "another action", fault: graphsim.Fault{Body: `{"deviceActionResults":[{"actionName":"wipe","deviceAssignmentItems":7}]}`}},
		{name: "a newer intent", fault: graphsim.Fault{Body: `{"deviceActionResults":[{"actionName":"changeAssignments","deviceAssignmentItems":[{"itemId":"` +
			app(1).ID + `","itemType":"application","assignmentItemActionIntent":"unknownFutureValue"}]}]}`}},
	}
}

// readRows are faults of the GET, which changes nothing.
func readRows() []row {
	tooLong := how{name: "slow", fault: graphsim.Fault{Delay: CallTimeout + 500*time.Millisecond}}
	lost := unclear()
	for i, h := range lost {
		lost[i].unseen = h.fault.Reset
	}
	spoiled := []how{
		{name: "half of the answer", fault: graphsim.Fault{Form: "truncated"}},
		{name: "half of the answer, then a drop", fault: graphsim.Fault{Form: "cut"}},
	}
	return []row{
		{"no answer, no clear one, or one that cannot be read", "get", both,
			"unavailable", "tells nothing; reads again after 1 s, longer each time, up to a minute", told, 1, 1, []time.Duration{retryMin / 2, retryMax},
			slices.Concat(lost, unreadable(), spoiled, []how{tooLong}, statuses(407))},
		{"429", "get", both,
			"throttled", "pauses the tenant as long as asked, or 5 s and longer each time; then reads again", told, 1, 1, []time.Duration{0, firstPause}, throttled()[:5]},
		{"429 for longer than 10 minutes", "get", both,
			"throttled", "pauses the tenant for 10 minutes", off, 0, 1, []time.Duration{pauseMax - 5*time.Second, pauseMax}, banished()},
		{"404, 410", "get", both,
			"gone", "ends every event of the device", no, 0, 1, nil, statuses(404, 410)},
		{"400 and other refusals", "get", both,
			"refused", "ends every event of the device: it cannot be read, so it must not be told", no, 0, 1, nil, refusals()[:4]},
		{"403, 402, 431, 451; 401 that no new token mends", "get", both,
			"denied", "pauses the tenant for a minute, longer each time", off, 0, 1, []time.Duration{deniedMin / 2, deniedMin}, denied()},
		{"a second admin's approval is asked for", "get", both,
			"approval_required", "the same: a read needs none, so somebody has to look", off, 0, 1, []time.Duration{deniedMin / 2, deniedMin}, approvals()[:2]},
		{"401", "get", both,
			"ok", "gets a new token and reads again at once", told, 1, 1, nil, statuses(401)},
		{"an answer that shows nothing of the action, or with words that are not known", "get", both,
			"ok", "believes what was told, for `Hold`: absence proves nothing", told, 1, 1, nil, append(blank(),
				how{name: "slow within its time", fault: graphsim.Fault{Delay: 200 * time.Millisecond}})},
	}
}
