package ingest

import (
	"errors"
	"net/http"
	"os"

	"github.com/labstack/echo/v4"

	"changerelay/internal/events"
	"changerelay/internal/ingest/source"
	"changerelay/internal/ingest/verify"
)

// Errors that are met in this package.
var (
	errBusy   = errors.New("too many requests are in progress")
	errMethod = errors.New("the route does not take this method")
)

type (
	badQuery    struct{ name, reason string } // a parameter
	unsupported struct{ reason string }
	bodyError   struct{ err error } // reading the body
	brokerError struct{ err error } // publishing, finding, marking or parking
)

func (e *badQuery) Error() string    { return e.name + ": " + e.reason }
func (e *unsupported) Error() string { return e.reason }
func (e *bodyError) Error() string   { return "reading the body: " + e.err.Error() }
func (e *bodyError) Unwrap() error   { return e.err }
func (e *brokerError) Error() string { return e.err.Error() }
func (e *brokerError) Unwrap() error { return e.err }

// broker marks an error as the broker's, unless it is its answer.
func broker(err error) error {
	if errors.Is(err, events.ErrConflict) || errors.Is(err, events.ErrNotFound) {
		return err
	}
	return &brokerError{err}
}

// A problem is the body of every answer that is no receipt.
type problem struct {
	Error     string `json:"error,omitempty"`
	Status    string `json:"status,omitempty"`
	Field     string `json:"field,omitempty"`
	Reason    string `json:"reason,omitempty"`
	ID        string `json:"id,omitempty"`
	Parked    *bool  `json:"parked,omitempty"` // the body was kept for a person to look at; nil: it is no matter of that
	RequestID string `json:"request_id,omitempty"`
}

// A row maps errors to an answer. Its reason is all that is said of them,
// unless tell adds what the sender may know.
type row struct {
	is     func(error) bool
	code   int
	word   string
	reason string
	tell   func(error, *problem)
}

// table is the only place where errors meet status codes; the first row that
// fits counts.
var table = []row{
	{as[*brokerError], 503, string(events.Unavailable), "the broker did not answer in time; send it again, nothing is done twice", nil}, // whatever else it wraps
	{keysAway, 503, string(events.Unavailable), "the keys of the request's issuer cannot be fetched; send it again later", nil},
	{as[*verify.Refusal], 401, "unauthorized", "the request is not signed as the source's configuration asks", nil},
	{as[*limited], 429, "rate_limited", "too many requests arrive; send it again when Retry-After has passed", nil},
	{as[*tooLarge], 413, "too_large", "", tellError},
	{slowBody, 408, "timeout", "the body did not arrive in time", nil},
	{as[*bodyError], 400, "incomplete", "the body did not arrive as announced", nil},
	{as[*badQuery], 400, "bad_query", "", tellQuery},
	{as[*unsupported], 415, "unsupported_media_type", "", tellError},
	{as[*source.Ignored], 200, "ignored", "", tellIgnored},
	{as[*events.InvalidError], 422, string(events.Invalid), "", tellInvalid},
	{as[*forbidden], 403, "forbidden", "", tellForbidden},
	{is(events.ErrConflict), 409, "conflict", events.ErrConflict.Error(), nil},
	{is(events.ErrNotFound), 404, "not_found", events.ErrNotFound.Error(), nil},
	{is(errBusy), 503, string(events.Unavailable), "too much is in progress; send it again later", nil},
	{isHTTP(404), 404, "not_found", "there is no such route", nil},
	{is(errMethod), 405, "method_not_allowed", errMethod.Error(), nil},
	{func(error) bool { return true }, 500, "internal", "the relay failed; its log has the request_id", nil},
}

func as[E error](err error) bool { return errors.As(err, new(E)) }

func is(target error) func(error) bool {
	return func(err error) bool { return errors.Is(err, target) }
}

// keysAway is a refusal that says nothing of the request: the sender should
// repeat it, as when the broker is away.
func keysAway(err error) bool {
	var r *verify.Refusal
	return errors.As(err, &r) && r.Reason == verify.KeysAway
}

func slowBody(err error) bool {
	return as[*bodyError](err) && errors.Is(err, os.ErrDeadlineExceeded)
}

func isHTTP(code int) func(error) bool {
	return func(err error) bool {
		var e *echo.HTTPError
		return errors.As(err, &e) && e.Code == code
	}
}

// refuse makes the answer to an error.
func refuse(err error) (a answer) {
	for _, r := range table {
		if !r.is(err) {
			continue
		}
		p := problem{Error: r.word, Reason: r.reason}
		if r.tell != nil {
			r.tell(err, &p)
		}
		return answer{code: r.code, word: r.word, body: p, header: headers(r.code, err)}
	}
	panic("ingest: the table's last row fits every error")
}

// headers go with a code.
func headers(code int, err error) map[string]string {
	var l *limited
	switch {
	case errors.As(err, &l):
		return map[string]string{"Retry-After": l.retryAfter()}
	case code == http.StatusServiceUnavailable:
		return map[string]string{"Retry-After": RetryAfter}
	}
	return nil
}

// answerTo says to an error what concerns this request alone. The 401 body is
// the same bytes for every cause, so it has no request id; its header has one.
func answerTo(err error, x *exchange) answer {
	a := refuse(err)
	p := a.body.(problem)
	if a.code != http.StatusUnauthorized {
		p.RequestID = x.id
	}
	if a.code == http.StatusConflict {
		p.ID = x.ids[0]
	}
	if a.code == http.StatusMethodNotAllowed {
		a.header = map[string]string{"Allow": allowed[x.Path()]}
	}
	a.body = p
	return a
}

func tellError(err error, p *problem) { p.Reason = err.Error() }

func tellQuery(err error, p *problem) {
	var e *badQuery
	errors.As(err, &e)
	p.Field, p.Reason = e.name, e.reason
}

func tellForbidden(err error, p *problem) {
	var f *forbidden
	errors.As(err, &f)
	p.Field, p.Reason = f.field, f.told()
}

func tellIgnored(err error, p *problem) {
	var e *source.Ignored
	errors.As(err, &e)
	p.Error, p.Status, p.Reason = "", "ignored", e.Reason
}

func tellInvalid(err error, p *problem) {
	var e *events.InvalidError
	errors.As(err, &e)
	kept := as[*parked](err)
	p.Field, p.Reason, p.Parked = e.Field, e.Reason, &kept
}
