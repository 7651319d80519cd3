package graphsim

import (
	"encoding/json"
	"net/http"
	"slices"
)

// Forms are the shapes that a fault's answer may take. Those marked * spoil the true answer and
// need no Status; at BeforeApply they spoil a 500.
//
//	""         Graph's, or Entra's, JSON
//	nested     Intune's JSON text inside error.message
//	wrapped    Intune's refusal inside 401 UnknownError, which no new token mends
//	html       a gateway's page
//	empty      no body
//	truncated  * half of the body, as if it were all
//	cut        * half of the body, then the connection drops
//	noexpiry   * a token answer without expires_in and expires_on
var Forms = []string{"", "nested", "wrapped", "html", "empty", "truncated", "cut", "noexpiry"}

// formed is the fault's answer, or nil when the fault gives none. was is the true answer.
func (f *armed) formed(x *exchange, was reply) *reply {
	status := f.Status
	switch f.Form {
	case "nested":
		return f.json(x, refusal{status: or(status, http.StatusInternalServerError), code: f.Code, message: f.Message, intune: true})
	case "wrapped":
		return f.json(x, x.wrapped(f.Message))
	case "html":
		return &reply{status: or(status, http.StatusBadGateway), header: kind("text/html"),
			body: []byte("<html><head><title>" + http.StatusText(or(status, http.StatusBadGateway)) + "</title></head><body><center><h1>Gateway</h1></center></body></html>")}
	case "empty":
		return &reply{status: or(status, http.StatusServiceUnavailable), header: http.Header{}}
	case "truncated", "cut", "noexpiry":
		if was.status == 0 {
			was = x.refuse(refusal{status: or(status, http.StatusInternalServerError), code: f.Code, message: f.Message})
		}
		return f.spoil(was)
	}
	if status == 0 {
		return nil
	}
	return f.json(x, refusal{status: status, code: f.Code, message: f.Message})
}

func (f *armed) json(x *exchange, r refusal) *reply {
	a := x.refuse(r)
	return &a
}

func (f *armed) spoil(a reply) *reply {
	a.header = a.header.Clone()
	a.status = or(f.Status, a.status)
	switch f.Form {
	case "truncated":
		a.body = slices.Clone(a.body[:len(a.body)/2])
	case "cut":
		a.cut = true
	case "noexpiry":
		var fields map[string]json.RawMessage
		if json.Unmarshal(a.body, &fields) == nil {
			delete(fields, "expires_in")
			delete(fields, "expires_on")
			a.body = jsonReply(a.status, fields).body
		}
	}
	return &a
}

// wrapped is how Intune's own refusal arrives: as a 401 that has nothing to do with the token.
func (x *exchange) wrapped(message string) refusal {
	if message == "" {
		message = "Tenant is not licensed for this operation"
	}
	inner, _ := json.Marshal(map[string]any{ // texts only
		"ErrorCode": "Forbidden", "Message": x.intuneMessage(message), "InnerError": nil, "Target": nil,
	})
	return refusal{status: http.StatusUnauthorized, code: "UnknownError", message: string(inner)}
}

func kind(mime string) http.Header { return http.Header{"Content-Type": {mime}} }

func or(n, otherwise int) int {
	if n != 0 {
		return n
	}
	return otherwise
}
