package graphsim

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// reply is what goes back; it is decided in full before a byte of it is sent.
type reply struct {
	status int
	header http.Header
	body   []byte
	drop   bool // no answer: the connection is dropped
	cut    bool // half an answer, then the connection is dropped
}

func jsonReply(status int, v any) reply {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // our own types, a programmer's mistake
	}
	return reply{status: status, header: http.Header{"Content-Type": {"application/json"}}, body: b}
}

// refusal is an error before it meets the wire. Intune marks those whose message Intune itself
// wrote: they arrive as a JSON text inside error.message.
type refusal struct {
	status        int
	code, message string
	intune        bool
	header        http.Header
}

func refused(status int, code, format string, args ...any) *refusal {
	return &refusal{status: status, code: code, message: fmt.Sprintf(format, args...)}
}

// opaque is Intune's answer when it will not do something and does not say why.
func opaque() *refusal {
	return &refusal{status: http.StatusBadRequest, code: "BadRequest", message: "An error has occurred", intune: true}
}

// codes are Graph's usual words for a status.
var codes = map[int]string{
	400: "BadRequest", 401: "InvalidAuthenticationToken", 403: "Forbidden", 404: "ResourceNotFound",
	405: "Request_BadRequest", 409: "Conflict", 410: "Gone", 412: "PreconditionFailed", 429: "TooManyRequests",
	500: "InternalServerError", 502: "BadGateway", 503: "ServiceUnavailable", 504: "UnknownError",
	509: "BandwidthLimitExceeded",
}

// refuse writes a refusal in the shape of whoever is asked: Entra for a token, else Graph.
func (x *exchange) refuse(f refusal) reply {
	if f.status >= 200 && f.status < 300 {
		return reply{status: f.status, header: http.Header{}}
	}
	if x.entra {
		return x.refuseToken(f)
	}
	if f.code == "" {
		f.code = codes[f.status]
	}
	if f.code == "" {
		f.code = "UnknownError"
	}
	if f.message == "" {
		f.message = http.StatusText(f.status)
	}
	if f.intune {
		f.message = x.intuneMessage(f.message)
	}
	e := map[string]any{"code": f.code, "message": f.message}
	switch inner := x.inner(f.status); x.knobs.InnerError {
	case "innererror":
		e["innererror"] = inner
	case "nested":
		e["innerError"] = map[string]any{"code": f.code, "innererror": inner}
	default:
		e["innerError"] = inner
	}
	a := jsonReply(f.status, map[string]any{"error": e})
	for k, v := range f.header {
		a.header[k] = v
	}
	return a
}

func (x *exchange) inner(status int) map[string]string {
	m := map[string]string{
		"date":              x.call.At.Format("2006-01-02T15:04:05"),
		"request-id":        x.call.RequestID,
		"client-request-id": x.call.ClientRequestID,
	}
	if status == http.StatusTooManyRequests && x.knobs.ThrottleBody != "short" {
		m["code"], m["status"], m["message"] = "429", "429", "Please retry after"
	}
	return m
}

// intuneMessage wraps a text as Intune's device front end does.
func (x *exchange) intuneMessage(text string) string {
	const zero = "00000000-0000-0000-0000-000000000000"
	b, err := json.Marshal(struct {
		Version              int `json:"_version"`
		Message              string
		CustomApiErrorPhrase string
		RetryAfter           *int
		ErrorSourceService   string
		HttpHeaders          string
	}{
		Version: 3, HttpHeaders: "{}",
		Message: fmt.Sprintf("%s - Operation ID (for customer support): %s - Activity ID: %s - Url: "+
			"https://fef.simulated.manage.microsoft.com/DeviceFE/StatelessDeviceFEService/deviceManagement/managedDevices"+
			"('%s')/microsoft.management.services.api.changeAssignments?api-version=5023-05-01",
			text, zero, x.call.ClientRequestID, x.call.Device),
	})
	if err != nil {
		panic(err)
	}
	return string(b)
}

// send puts a reply on the wire, with the headers that every Graph answer has.
func (x *exchange) send(w http.ResponseWriter, a reply) {
	if a.drop {
		panic(http.ErrAbortHandler) // net/http's way to drop a connection without an answer
	}
	h := w.Header()
	h.Set("Date", x.said().Format(http.TimeFormat))
	h.Set("Strict-Transport-Security", "max-age=31536000")
	h.Set("request-id", x.call.RequestID)
	h.Set("client-request-id", x.call.ClientRequestID)
	h.Set("x-ms-ags-diagnostic", `{"ServerInfo":{"DataCenter":"Simulated","Slice":"E","Ring":"0","ScaleUnit":"000","RoleInstance":"SIM"}}`)
	for k, v := range a.header {
		h[k] = v
	}
	if a.cut {
		h.Set("Content-Length", strconv.Itoa(len(a.body)+1)) // even of nothing there is half
		a.body = a.body[:len(a.body)/2]
	}
	w.WriteHeader(a.status)
	_, _ = w.Write(a.body) // the caller may have left
	if a.cut {
		_ = http.NewResponseController(w).Flush() // what was written is on its way before the end
		panic(http.ErrAbortHandler)
	}
}

// said is when the call came, by the clock that its caller is told of.
func (x *exchange) said() time.Time { return x.call.At.Add(x.knobs.ClockSkew) }

// stamp is Graph's DateTimeOffset: UTC, up to seven digits of a second.
func stamp(t time.Time) string {
	return t.UTC().Truncate(100 * time.Nanosecond).Format(time.RFC3339Nano)
}
