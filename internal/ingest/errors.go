package ingest

import (
	"errors"
	"fmt"
	"net/http"
	"os"

	"github.com/labstack/echo/v4"

	"changerelay/internal/events"
	"changerelay/internal/ingest/source"
	"changerelay/internal/ingest/verify"
)

// Errors that are met in this package.
var (
	errTooLarge = errors.New("the body is too large")
	errBusy     = errors.New("too many requests are in progress")
)

type (
	forbidden   struct{ source, tenant string }
	unsupported struct{ reason string }
	bodyError   struct{ err error } // reading the body
	brokerError struct{ err error } // publishing or finding
)

func (e *forbidden) Error() string {
	return fmt.Sprintf("source %s may not speak for tenant %s", e.source, e.tenant)
}
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
	{as[*verify.Refusal], 401, "unauthorized", "the request is not signed as the source's configuration asks", nil},
	{as[*http.MaxBytesError], 413, "too_large", tooLarge, nil},
	{is(errTooLarge), 413, "too_large", tooLarge, nil},
	{slowBody, 408, "timeout", "the body did not arrive in time", nil},
	{as[*bodyError], 400, "incomplete", "the body did not arrive as announced", nil},
	{as[*unsupported], 415, "unsupported_media_type", "", tellError},
	{as[*source.Ignored], 200, "ignored", "", tellIgnored},
	{as[*events.InvalidError], 422, string(events.Invalid), "", tellInvalid},
	{as[*forbidden], 403, "forbidden", "", tellForbidden},
	{is(events.ErrConflict), 409, "conflict", events.ErrConflict.Error(), nil},
	{is(events.ErrNotFound), 404, "not_found", events.ErrNotFound.Error(), nil},
	{is(errBusy), 503, string(events.Unavailable), "too much is in progress; send it again later", nil},
	{as[*brokerError], 503, string(events.Unavailable), "the broker did not answer in time; send it again, nothing is done twice", nil},
	{isHTTP(404), 404, "not_found", "there is no such route", nil},
	{isHTTP(405), 405, "method_not_allowed", "the route does not take this method", nil},
	{func(error) bool { return true }, 500, "internal", "the relay failed; its log has the request_id", nil},
}

var tooLarge = fmt.Sprintf("the body has more than %d bytes", MaxBody)

func as[E error](err error) bool { return errors.As(err, new(E)) }

func is(target error) func(error) bool {
	return func(err error) bool { return errors.Is(err, target) }
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

// answerTo makes the answer to an error. The 401 body is the same bytes for
// every cause, so it has no request id; its header has one.
func answerTo(err error, x *exchange) answer {
	for _, r := range table {
		if !r.is(err) {
			continue
		}
		p := problem{Error: r.word, Reason: r.reason}
		if r.code != http.StatusUnauthorized {
			p.RequestID = x.id
		}
		if r.code == http.StatusConflict {
			p.ID = x.ids[0]
		}
		if r.tell != nil {
			r.tell(err, &p)
		}
		return answer{code: r.code, word: r.word, body: p}
	}
	panic("ingest: the table's last row fits every error")
}

func tellError(err error, p *problem) { p.Reason = err.Error() }

func tellForbidden(err error, p *problem) { p.Field, p.Reason = "tenant", err.Error() }

func tellIgnored(err error, p *problem) {
	var e *source.Ignored
	errors.As(err, &e)
	p.Error, p.Status, p.Reason = "", "ignored", e.Reason
}

func tellInvalid(err error, p *problem) {
	var e *events.InvalidError
	errors.As(err, &e)
	p.Field, p.Reason = e.Field, e.Reason
}
