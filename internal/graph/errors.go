package graph

import (
	"fmt"
	"net/http"
	"strings"
	"time"
)

// A Kind says what a failed call means for the device. The words are stable.
type Kind string

// The kinds. Only Throttled and InDoubt leave open whether the set was applied.
const (
	Refused          Kind = "refused"           // this set is not taken
	Gone             Kind = "gone"              // the device is no longer there
	Denied           Kind = "denied"            // the tenant's fault: permission, licence, credential
	ApprovalRequired Kind = "approval_required" // a second administrator has to approve
	Throttled        Kind = "throttled"         // too many calls; has been seen with calls that were applied
	Unavailable      Kind = "unavailable"       // not sent, or not heard
	InDoubt          Kind = "in_doubt"          // sent, and no word of what came of it
)

// kinds is what a status means by itself. A status that is not here is
// InDoubt: 3xx, 408, 409, 423, 5xx, and what Microsoft may invent.
var kinds = map[int]Kind{
	http.StatusBadRequest:            Refused,
	http.StatusMethodNotAllowed:      Refused,
	http.StatusNotAcceptable:         Refused,
	http.StatusLengthRequired:        Refused,
	http.StatusPreconditionFailed:    Refused,
	http.StatusRequestEntityTooLarge: Refused,
	http.StatusRequestURITooLong:     Refused,
	http.StatusUnsupportedMediaType:  Refused,
	http.StatusExpectationFailed:     Refused,
	http.StatusUnprocessableEntity:   Refused,
	http.StatusPreconditionRequired:  Refused,
	http.StatusInsufficientStorage:   Refused,

	http.StatusNotFound: Gone,
	http.StatusGone:     Gone,

	http.StatusUnauthorized:                Denied,
	http.StatusPaymentRequired:             Denied,
	http.StatusForbidden:                   Denied,
	http.StatusRequestHeaderFieldsTooLarge: Denied, // only the token can be that long
	http.StatusUnavailableForLegalReasons:  Denied,

	http.StatusTooManyRequests: Throttled,

	// By definition none of these was processed.
	http.StatusProxyAuthRequired:  Unavailable,
	http.StatusMisdirectedRequest: Unavailable,
	http.StatusTooEarly:           Unavailable,
}

// classify names the kind of an answer that is not a success.
func classify(status int, d detail, approvalCode string) Kind {
	if approval(status, d, approvalCode) {
		return ApprovalRequired
	}
	if k, ok := kinds[status]; ok {
		return k
	}
	return InDoubt
}

// approval recognises Multi Admin Approval. It is the one place that reads
// message text: two of its four forms, all seen in live tenants, have no code.
func approval(status int, d detail, code string) bool {
	says := func(s string) bool { return strings.Contains(strings.ToLower(d.message), s) }
	switch status {
	case http.StatusForbidden:
		return code != "" || strings.EqualFold(d.code, "ApprovalRequired") || strings.EqualFold(d.inner, "ApprovalRequired") ||
			says("x-msft-approval-justification") // documented so once; 400 in live tenants
	case http.StatusPreconditionFailed:
		return code != ""
	case http.StatusConflict:
		return says("active approval request")
	case http.StatusBadRequest:
		return says("x-msft-approval-justification")
	}
	return false
}

// An Error is the end of a call that did not succeed. Every field may be
// logged: none holds a token, a credential or the text of an MSAL error.
type Error struct {
	Op              string // a gerund, such as "changing assignments"
	Kind            Kind
	Status          int    // of Graph, or of Entra while getting a token; 0 when there was no reply
	Code            string // Graph's or Entra's word
	Message         string // theirs or ours, clipped
	RequestID       string
	ClientRequestID string
	ApprovalCode    string        // to resubmit with, once approved
	RetryAfter      time.Duration // as asked for, at most 10 minutes; 0 when not asked
	Err             error         // what broke the connection

	expired bool   // a 401 that a new token may mend
	claims  string // which that token must have, as JSON
}

func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s", e.Op, e.Kind)
	if e.Status != 0 {
		fmt.Fprintf(&b, ": %d", e.Status)
	}
	if e.Code != "" {
		b.WriteString(" " + e.Code)
	}
	if e.Message != "" {
		b.WriteString(": " + e.Message)
	}
	if e.Err != nil {
		b.WriteString(": " + e.Err.Error())
	}
	if e.RequestID != "" {
		b.WriteString(" (request-id " + e.RequestID + ")")
	}
	return b.String()
}

func (e *Error) Unwrap() error { return e.Err }

// OfToken reports whether the call ended for want of a token: then Status is
// Entra's, and Graph was not asked.
func (e *Error) OfToken() bool { return e.Op == opToken }

// orNil keeps a nil *Error from becoming an error that is not nil.
func (e *Error) orNil() error {
	if e == nil {
		return nil
	}
	return e
}

// failure turns Graph's answer into an error.
func (c *Client) failure(k call, a answer) *Error {
	d := parseDetail(a.body)
	approvalCode := findApprovalCode(a.header.Get("x-msft-approval-code"), d.message)
	e := &Error{
		Op: k.op, Kind: classify(a.status, d, approvalCode), Status: a.status,
		Code: a.clean(d.word(), maxWord), Message: a.clean(d.text(), maxMessage),
		RequestID: a.requestID, ClientRequestID: a.clientID, ApprovalCode: a.clean(approvalCode, maxWord),
		RetryAfter: retryAfter(firstOf(a.header.Get("Retry-After"), d.retryAfter), dated(a.header, c.now())),
	}
	if e.Kind == Denied && a.status == http.StatusForbidden && k.header.Get("x-msft-approval-code") != "" {
		e.Kind = Refused // the approval was turned down: that is about this set, and no fault of the tenant's
	}
	if a.requestID == "" && !d.known() {
		e.disown(a.heard)
	}
	if e.RequestID == "" {
		e.RequestID = a.clean(d.requestID, maxWord)
	}
	// An Intune refusal comes as a 401 too; no token mends that one.
	e.expired = a.status == http.StatusUnauthorized && !strings.EqualFold(d.inner, "Forbidden")
	if c.entra.conf.CAE && (e.expired || a.status == http.StatusForbidden) {
		e.claims = challenge(a.header)
		e.expired = e.expired || e.claims != "" // a 403 with a challenge is one, too
	}
	return e
}

// disown takes back what only Graph can say: a proxy or a gateway answered. It
// seldom does so after passing a set on, but then it may.
func (e *Error) disown(heard bool) {
	switch e.Kind {
	case Refused, Gone, InDoubt:
	default:
		return // these blame nobody
	}
	e.Kind = Unavailable
	if heard {
		e.Kind = InDoubt
	}
	e.Message = "the reply is not Graph's: it has no request-id and no error; look at proxies and gateways on the way"
}
