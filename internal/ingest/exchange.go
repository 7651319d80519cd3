package ingest

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"runtime"
	"runtime/debug"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"changerelay/internal/events"
	"changerelay/internal/ingest/verify"
	"changerelay/internal/metrics"
)

// An exchange is one request and its answer, and what the log will say of it.
type exchange struct {
	echo.Context
	id    string    // in the answer's X-Request-Id and the log
	start time.Time // by the real clock
	now   time.Time // by the server's

	route    string // the pattern: paths and queries can hold secrets
	source   string // of the URL or the signature, if it is configured
	delivery *verify.Delivery
	bytes    int
	digest   string // SHA-256 of the body, hexadecimal
	ticket   string
	ids      []string
	answer   answer
}

// handle adapts a handler to Echo.
func handle(route string, h func(*exchange) (answer, error)) echo.HandlerFunc {
	return func(c echo.Context) error {
		x := c.(*exchange) // observe made it one
		x.route = route
		a, err := h(x)
		x.answer = a
		return err
	}
}

func (s *Server) begin(c echo.Context) *exchange {
	return &exchange{Context: c, id: rand.Text(), start: time.Now(), now: s.now(), route: "none", source: metrics.Unknown}
}

func (x *exchange) verified(source string, d verify.Delivery) { x.source, x.delivery = source, &d }

func (x *exchange) decoded(list []events.Event) {
	x.ticket = list[0].Ticket
	for _, e := range list {
		x.ids = append(x.ids, e.Ref().String())
	}
}

// observe is around everything: the single exit of every request.
func (s *Server) observe(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		x := s.begin(c)
		s.finish(x, guard(next, x))
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
func guard(next echo.HandlerFunc, x *exchange) (err error) {
	defer func() {
		if v := recover(); v != nil {
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
	s.metrics.RequestSeconds.WithLabelValues(x.source).Observe(took.Seconds())
	if r := refusal(err); r != "" {
		s.metrics.Refusals.WithLabelValues(x.source, r).Inc()
	}
	if x.answer.code == http.StatusUnprocessableEntity {
		s.metrics.Outcomes.WithLabelValues("ingest", string(events.Invalid)).Inc()
	}
	s.log.LogAttrs(context.WithoutCancel(x.Request().Context()), level(x.answer.code), "request", x.attrs(took, err, lost)...)
}

// write sends the answer; its error is that the sender has gone.
func (x *exchange) write() error {
	b, err := json.Marshal(x.answer.body)
	if err != nil {
		panic("ingest: answers are structs of strings and times: " + err.Error())
	}
	h := x.Response().Header()
	h.Set("X-Request-Id", x.id)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	switch x.answer.code {
	case http.StatusServiceUnavailable:
		h.Set("Retry-After", RetryAfter)
	case http.StatusRequestEntityTooLarge:
		h.Set("Connection", "close") // rather than read on to the end of it
	}
	return x.JSONBlob(x.answer.code, append(b, '\n'))
}
