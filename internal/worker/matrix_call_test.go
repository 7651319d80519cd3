package worker

import (
	"net/http"
	"strconv"
	"time"

	"changerelay/internal/graphsim"
)

// Headers that a fault's answer has, or has not.
func asks(retryAfter string) http.Header { return http.Header{"Retry-After": {retryAfter}} }

var (
	nobodys = http.Header{"Request-Id": nil} // a gateway's answer
	lured   = http.Header{"Location": {"https://127.0.0.1:1/" + planted}}
	coded   = http.Header{"X-Msft-Approval-Code": {"0d2c2f27-55ac-4a5a-8f5b-0123456789ab"}}
)

// statuses are the hows of plain errors in Graph's shape.
func statuses(codes ...int) (hs []how) {
	for _, n := range codes {
		hs = append(hs, how{name: strconv.Itoa(n), fault: graphsim.Fault{Status: n}})
	}
	return hs
}

// unclear are answers that do not say what became of a request, and no answers.
func unclear() []how {
	return append(statuses(409, 500, 504),
		how{name: "reset", fault: graphsim.Fault{Reset: true}},
		how{name: "redirect", fault: graphsim.Fault{Status: 307, Header: lured}},
		how{name: "503 with Retry-After", fault: graphsim.Fault{Status: 503, Header: asks("1")}},
		how{name: "500 of Intune", fault: graphsim.Fault{Form: "nested"}},
		how{name: "502 page", fault: graphsim.Fault{Form: "html"}},
		how{name: "502 page of a gateway", fault: graphsim.Fault{Form: "html", Header: nobodys}},
		how{name: "404 page of a gateway", fault: graphsim.Fault{Form: "html", Status: 404, Header: nobodys}},
		how{name: "400 JSON of a gateway", fault: graphsim.Fault{Body: `{"message":"no route"}`, Status: 400, Header: nobodys}},
		how{name: "200 page of a gateway", fault: graphsim.Fault{Body: "<html>Bearer " + planted, Header: nobodys}},
		how{name: "503 without a body", fault: graphsim.Fault{Form: "empty"}},
		how{name: "400 cut short without a request-id", fault: graphsim.Fault{Body: `{"error":{"code":"BadRequest","mess`, Status: 400, Header: nobodys}},
		how{name: "half of a 500", fault: graphsim.Fault{Form: "truncated", Status: 500}},
		how{name: "500 without fields", fault: graphsim.Fault{Form: "noexpiry", Status: 500}},
		how{name: "half of a 500, then a drop", fault: graphsim.Fault{Form: "cut", Status: 500}},
	)
}

// throttled are the ways to say 429 that end soon.
func throttled() []how {
	return []how{
		{name: "429 in seconds", fault: graphsim.Fault{Status: 429, Header: asks("1")}},
		{name: "429 in parts of a second", fault: graphsim.Fault{Status: 429, Header: asks("0.5")}},
		{name: "429 with a date", fault: graphsim.Fault{Status: 429}, date: 3 * time.Second},
		{name: "429 with a past date", fault: graphsim.Fault{Status: 429}, date: -time.Hour},
		{name: "429 without a time", fault: graphsim.Fault{Status: 429}},
		{name: "429 with rubbish", fault: graphsim.Fault{Status: 429, Header: asks("soon " + planted)}},
		{name: "429 with zero", fault: graphsim.Fault{Status: 429, Header: asks("0")}},
		{name: "429 of Intune", fault: graphsim.Fault{Status: 429, Form: "nested", Header: asks("1")}},
		{name: "429 page", fault: graphsim.Fault{Status: 429, Form: "html", Header: asks("1")}},
	}
}

// banished are the ways to say 429 for longer than the relay believes.
func banished() []how {
	return []how{
		{name: "429 for a day", fault: graphsim.Fault{Status: 429, Header: asks("100000")}},
		{name: "429 for a number too large", fault: graphsim.Fault{Status: 429, Header: asks("99999999999999999999")}},
		{name: "429 until next week", fault: graphsim.Fault{Status: 429}, date: 7 * 24 * time.Hour},
	}
}

// denied are answers that blame the tenant.
func denied() []how {
	return append(statuses(403),
		how{name: "403 of Intune", fault: graphsim.Fault{Status: 403, Form: "nested"}},
		how{name: "403 page", fault: graphsim.Fault{Status: 403, Form: "html", Header: nobodys}},
		how{name: "401 of Intune", fault: graphsim.Fault{Form: "wrapped"}},
		how{name: "401 for new tokens too", fault: graphsim.Fault{Status: 401}},
	)
}

// approvals are the ways to ask for a second admin.
func approvals() []how {
	return []how{
		{name: "403 ApprovalRequired", fault: graphsim.Fault{Status: 403, Code: "ApprovalRequired"}},
		{name: "403 with a code", fault: graphsim.Fault{Status: 403, Header: coded}},
		{name: "412 with a code", fault: graphsim.Fault{Status: 412, Code: "BadRequest", Header: coded}},
		{name: "412 with a token for a code", fault: graphsim.Fault{Status: 412, Header: http.Header{"X-Msft-Approval-Code": {"Bearer " + planted}}}},
		{name: "409 active", fault: graphsim.Fault{Status: 409, Message: "An active approval request already exists for this resource."}},
		{name: "400 without a justification", fault: graphsim.Fault{Status: 400, Message: "The header x-msft-approval-justification is required."}},
		{name: "403 without a justification", fault: graphsim.Fault{Status: 403, Message: "The header x-msft-approval-justification is required."}},
	}
}

// refusals are Graph's own no to a request.
func refusals() []how {
	return append(statuses(400, 412, 507),
		how{name: "400 of Intune", fault: graphsim.Fault{Status: 400, Form: "nested"}},
		how{name: "400 page of Graph", fault: graphsim.Fault{Status: 400, Form: "html"}},
		how{name: "400 that is cut short", fault: graphsim.Fault{Status: 400, Form: "truncated"}},
		how{name: "400 that quotes a token", fault: graphsim.Fault{Status: 400, Body: `{"error":{"code":"` + planted + `","message":"Bearer ` + planted + `"}}`}},
		how{name: "400 with a token for a request-id", fault: graphsim.Fault{Status: 400, Header: http.Header{"Request-Id": {planted}}}},
	)
}

// callRows are faults of the POST.
func callRows() []row {
	tooLong := how{name: "slow", fault: graphsim.Fault{Delay: slow}}
	return []row{
		{"no answer, or one that leaves open what became of the call (reset, time-out, redirect, 408, 409, 423, 5xx, a gateway's page)", "post", before,
			"in_doubt", "leaves the attempt open until the call must show; reads; Graph has not taken it: tells the set again", told, 2, 1, nil, append(unclear(), tooLong)},
		{"the same", "post", after,
			"in_doubt", "reads; Graph has taken it: nothing is told again", told, 1, 1, nil, append(unclear(), tooLong)},
		{"no answer, and the call takes effect later", "post", before,
			"in_doubt", "tells the set again; watches for the late call until `Settle` is over", told, 0, 2, nil,
			[]how{{name: "late", fault: graphsim.Fault{Late: time.Second}}, {name: "late behind a 504", fault: graphsim.Fault{Late: time.Second, Status: 504}}}},
		{"429", "post", before,
			"throttled", "pauses the tenant as long as asked, or 5 s and longer each time; then reads, and tells the set again", told, 2, 1, []time.Duration{0, firstPause}, throttled()},
		{"429, though applied", "post", after,
			"throttled", "the same; the read shows that Graph has taken it", told, 1, 1, []time.Duration{0, firstPause}, throttled()},
		{"429 for longer than 10 minutes", "post", both,
			"throttled", "pauses the tenant for 10 minutes", off.with(off.text, "A", "", "ABC"), 1, 1, []time.Duration{pauseMax - 5*time.Second, pauseMax}, banished()},
		{"400 and other refusals of the set", "post", both,
			"refused", "finds out who is to blame: tells what Graph holds without the event", no, 2, 2, nil, refusals()},
		{"404, 410", "post", before,
			"gone", "ends every event of the device", no, 1, 1, nil, statuses(404, 410)},
		{"404, 410, though applied", "post", after,
			"gone", "the same; the next ticket's read finds what was applied and keeps it, as it keeps an admin's removal",
			no.with("`refused`, dead letter, though Graph holds it", "AB", "A", "ABC"), 1, 1, nil, statuses(404, 410)},
		{"a second admin's approval is asked for (400, 403, 409, 412)", "post", before,
			"approval_required", "ends the events of the call", ask, 1, 1, nil, approvals()},
		{"the same, though applied", "post", after,
			"approval_required", "the same; the next ticket's read finds what was applied, or a doubt's read undoes it as a late call",
			ask.with("`approval_required`, dead letter, though Graph may hold it", "AB", "A", "ABC").undone("A", "A", "AC"), 1, 2, nil, approvals()},
		{"403, 402, 431, 451; 401 that no new token mends", "post", both,
			"denied", "closes the attempt; pauses the tenant for a minute, longer each time", off, 0, 2, []time.Duration{deniedMin / 2, deniedMin}, denied()},
		{"401", "post", both,
			"ok", "gets a new token and makes the call again at once", told, 2, 2, nil, statuses(401)},
		{"407, 421, 425: not processed", "post", both,
			"unavailable", "closes the attempt; tries again after 1 s, longer each time, up to a minute", so, 0, 2, []time.Duration{retryMin / 2, retryMax}, statuses(407, 421)},
		{"a success in another form, or slower than usual", "post", after,
			"ok", "takes it", told, 1, 1, nil, append(statuses(200, 202),
				how{name: "half of nothing", fault: graphsim.Fault{Form: "truncated"}}, how{name: "without fields", fault: graphsim.Fault{Form: "noexpiry"}},
				how{name: "slow within its time", fault: graphsim.Fault{Delay: 200 * time.Millisecond}})},
		{"a success of Graph's own that is none", "post", before,
			"ok", "believes it; the device's next call tells it again", told.with("`accepted`, though Graph does not hold it yet", "A", "AB", "ABC"), 1, 1, nil, append(statuses(200, 204),
				how{name: "200 page with a request-id", fault: graphsim.Fault{Body: "<html>"}})},
	}
}
