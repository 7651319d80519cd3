package worker

import (
	"net/http"
	"time"

	"changerelay/internal/graphsim"
)

// noToken are ways not to get a token that pass by themselves.
func noToken() []how {
	return append(statuses(400, 429, 500, 503),
		how{name: "503 with Retry-After", fault: graphsim.Fault{Status: 503, Header: asks("1")}},
		how{name: "429 with Retry-After", fault: graphsim.Fault{Status: 429, Header: asks("2")}},
		how{name: "reset", fault: graphsim.Fault{Reset: true}},
		how{name: "page", fault: graphsim.Fault{Form: "html"}},
		how{name: "page of success", fault: graphsim.Fault{Body: "<html>access_token=" + planted}},
		how{name: "nothing", fault: graphsim.Fault{Form: "empty"}},
		how{name: "nothing with success", fault: graphsim.Fault{Form: "empty", Status: 200}},
		how{name: "half of it", fault: graphsim.Fault{Form: "truncated"}},
		how{name: "half of it, then a drop", fault: graphsim.Fault{Form: "cut"}},
		how{name: "no end", fault: graphsim.Fault{Form: "noexpiry"}},
		how{name: "no end that is one", fault: graphsim.Fault{Body: `{"token_type":"Bearer","expires_in":"soon","access_token":"` + planted + `"}`}},
		how{name: "a list", fault: graphsim.Fault{Body: `["access_token","` + planted + `"]`}},
		how{name: "a line break in it", fault: graphsim.Fault{Body: `{"token_type":"Bearer","expires_in":3600,"access_token":"` + planted + `\n"}`}},
		how{name: "quotes the secret", fault: graphsim.Fault{Status: 400, Code: "invalid_request", Message: "AADSTS900144: client_secret=SECRET Bearer " + planted}},
		how{name: "a redirect", fault: graphsim.Fault{Status: 307, Header: lured}},
		how{name: "slow", fault: graphsim.Fault{Delay: 10*time.Second + 500*time.Millisecond}},
	)
}

// noCredential are Entra's ways to turn the credential down.
func noCredential() []how {
	return []how{
		{name: "expired", fault: graphsim.Fault{Status: 401, Code: "invalid_client", Message: "AADSTS7000222: The provided client secret keys are expired: SECRET"}},
		{name: "wrong", fault: graphsim.Fault{Status: 401, Code: "invalid_client", Message: "AADSTS7000215: Invalid client secret provided: SECRET"}},
		{name: "no such app", fault: graphsim.Fault{Status: 400, Code: "unauthorized_client", Message: "AADSTS700016: Application was not found in the directory."}},
	}
}

// tokenRows are faults of the request for a token, met when Graph has turned the
// old one down.
func tokenRows() []row {
	return []row{
		{"no token, or none that can be used (429, 5xx, reset, time-out, an answer that cannot be read)", "token", both,
			"unavailable", "sends nothing; asks again after 1 s, longer each time, up to half a minute, or as long as asked", told, 0, 1, nil, noToken()},
		{"429 for longer than 10 minutes", "token", both,
			"unavailable", "asks for no token for 10 minutes", off, 0, 1, nil, banished()},
		{"the credential is turned down: wrong, expired, no such app", "token", both,
			"denied", "pauses the tenant for a minute, longer each time", off, 0, 1, []time.Duration{deniedMin / 2, deniedMin}, noCredential()},
		{"a token that Graph turns down as well", "token", both,
			"denied", "the same", off, 0, 1, []time.Duration{deniedMin / 2, deniedMin},
			[]how{{name: "rubbish", fault: graphsim.Fault{Header: http.Header{}, Body: `{"token_type":"Bearer","expires_in":3600,"access_token":"` + planted + `"}`}}}},
	}
}
