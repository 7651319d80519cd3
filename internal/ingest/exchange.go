package ingest

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"runtime"
	"runtime/debug"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"changerelay/internal/events"
	"changerelay/internal/metrics"
	"changerelay/internal/tracing"
)

// An exchange is one request and its answer, and what the log will say of it.
type exchange struct {
	echo.Context
	id    string     // in the answer's X-Request-Id and the log
	from  netip.Addr // of the peer, or of whom a proxy speaks
	span  tracing.Span
	start time.Time // by the real clock
	now   time.Time // by the server's

	route   string // the pattern: paths and queries can hold secrets
	source  string // of the URL or the signature, if it is configured
	finding        // what is known of it
	bytes   int
	digest  string // SHA-256 of the body, hexadecimal; "" while the body is not read
	ticket  string
	ids     []string
	fresh   bool          // an event was new to the broker
	waited  time.Duration // for an outcome, as the reader has asked
	answer  answer
}

// handle adapts a handler to Echo. The rates of all requests are looked at before
// anything else is.
func (s *Server) handle(route string, h func(*exchange) (answer, error)) echo.HandlerFunc {
	return func(c echo.Context) error {
		x := c.(*exchange) // observe made it one
		x.route = route
		if err := s.pass(x); err != nil {
			return err
		}
		a, err := h(x)
		x.answer = a
		return err
	}
}

func (s *Server) begin(c echo.Context) *exchange {
	x := &exchange{Context: c, id: rand.Text(), start: time.Now(), now: s.now(), route: "none", source: metrics.Unknown}
	s.traced(x)
	return x
}

// observe is around everything: the single exit of every request.
func (s *Server) observe(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		x, h := s.begin(c), next
		s.metrics.InFlight.Inc()
		defer s.metrics.InFlight.Dec()
		if c.Get(echo.ContextKeyHeaderAllow) != nil { // the route has other methods; Echo would answer OPTIONS with 204
			h = func(echo.Context) error { return errMethod }
		}
		s.finish(x, s.guard(h, x))
		return nil
	}
}

// A panicked handler is an error like any other, once it is caught.
type panicked struct {
	value any
	stack []byte
}

// Error leaves out what is not the runtime's own text: it may hold anything, a
// body too.
func (p *panicked) Error() string {
	if e, ok := p.value.(runtime.Error); ok {
		return "panicking: " + e.Error()
	}
	return fmt.Sprintf("panicking with a %T", p.value)
}

// guard turns a panic into an error.
func (s *Server) guard(next echo.HandlerFunc, x *exchange) (err error) {
	defer func() {
		if v := recover(); v != nil {
			s.metrics.Panics.Inc()
			err = &panicked{v, debug.Stack()}
		}
	}()
	return next(x)
}

// finish answers, counts and logs.
func (s *Server) finish(x *exchange, err error) {
	if err != nil {
		x.answer = answerTo(err, x)
	}
	lost := x.write()
	took := time.Since(x.start)
	s.metrics.Requests.WithLabelValues(x.source, strconv.Itoa(x.answer.code)).Inc()
	metrics.Observe(s.metrics.RequestSeconds.WithLabelValues(x.source), (took - x.waited).Seconds(), x.span.ID())
	if r := refusal(err); r != "" {
		s.metrics.Refusals.WithLabelValues(x.source, r).Inc()
	}
	if l := (*lapsed)(nil); errors.As(err, &l) {
		for _, u := range l.Expired {
			s.metrics.ExpiredKeyUses.WithLabelValues(l.source, u.Check, u.Key).Inc()
		}
	}
	switch x.answer.code {
	case http.StatusUnprocessableEntity:
		s.metrics.Outcomes.WithLabelValues("ingest", string(events.Invalid)).Inc()
	case http.StatusTooManyRequests:
		s.metrics.RateLimited.WithLabelValues(x.source).Inc()
	}
	s.log.LogAttrs(context.WithoutCancel(x.Request().Context()), level(x.answer.code), "request", x.attrs(took, err, lost)...)
	x.ended(err)
}

// Headers of every answer; nobody writes them.
var nosniff, noStore = []string{"nosniff"}, []string{"no-store"}

// write sends the answer; its error is that the sender has gone.
func (x *exchange) write() error {
	h := x.Response().Header()
	h["X-Request-Id"] = []string{x.id}
	h["X-Content-Type-Options"], h["Cache-Control"] = nosniff, noStore
	for name, value := range x.answer.header {
		h.Set(name, value)
	}
	if x.digest == "" && x.Request().ContentLength != 0 {
		h.Set("Connection", "close") // rather than read a body that nobody wants to its end
	}
	switch body := x.answer.body.(type) {
	case nil:
		return x.NoContent(x.answer.code)
	case text:
		return x.Blob(x.answer.code, echo.MIMETextPlainCharsetUTF8, []byte(body))
	case document:
		return x.JSONBlob(x.answer.code, body)
	}
	b, err := json.Marshal(x.answer.body)
	if err != nil {
		panic("ingest: answers are structs of strings and times: " + err.Error())
	}
	return x.JSONBlob(x.answer.code, append(b, '\n'))
}
