package ingest

import (
	"errors"
	"log/slog"
	"strings"
	"time"

	"changerelay/internal/events"
	"changerelay/internal/ingest/verify"
)

func level(code int) slog.Level {
	switch {
	case code >= 500:
		return slog.LevelError
	case code >= 400:
		return slog.LevelWarn
	}
	return slog.LevelInfo
}

// mostAttrs is room for the attributes of a request that is in order.
const mostAttrs = 16

// attrs is the one line of a request. Nothing in it was said by an unverified
// sender, but the address it came from and the length and hash of its body.
func (x *exchange) attrs(took time.Duration, err, lost error) []slog.Attr {
	a := append(make([]slog.Attr, 0, mostAttrs),
		slog.String("request_id", x.id),
		slog.String("route", x.route),
		slog.String("source", x.source),
		slog.Int("code", x.answer.code),
		slog.String("outcome", x.answer.word),
		slog.Duration("duration", took),
		slog.String("peer", x.RealIP()),
		slog.Int("bytes", x.bytes),
	)
	add := func(name, value string) {
		if value != "" {
			a = append(a, slog.String(name, value))
		}
	}
	add("trace", x.span.ID())
	add("body_sha256", x.digest)
	add("ticket", x.ticket)
	if len(x.ids) > 0 {
		a = append(a, slog.Any("ids", x.ids))
	}
	if x.sender != nil {
		add("delivery", x.delivery.ID)
		add("checks", strings.Join(x.sender.checks, " "))
		add("keys", uses(x.delivery.Uses))
	}
	if x.waited > 0 {
		a = append(a, slog.Duration("waited", x.waited))
	}
	if x.handshake != nil {
		add("handshake", x.handshake.kind)
	}
	add("reason", reason(err))
	if x.answer.word == string(events.Invalid) {
		a = append(a, slog.Bool("parked", as[*parked](err)))
	}
	if x.answer.code >= 500 {
		add("error", err.Error())
	}
	if p := (*panicked)(nil); errors.As(err, &p) {
		add("stack", string(p.stack))
	}
	if lost != nil {
		a = append(a, slog.Bool("answer_lost", true))
	}
	return a
}

// uses names the keys that a request was let in with: check/key.
func uses(list []verify.Use) string {
	if len(list) == 1 {
		return list[0].Check + "/" + list[0].Key
	}
	var s []string
	for _, u := range list {
		s = append(s, u.Check+"/"+u.Key)
	}
	return strings.Join(s, " ")
}

// reason is why in few words, none of them the sender's but a field's name:
// the reasons of invalid fields quote what they refuse.
func reason(err error) string {
	var invalid *events.InvalidError
	var f *forbidden
	var q *badQuery
	switch {
	case errors.As(err, &invalid):
		return invalid.Field
	case errors.As(err, &q):
		return q.name
	case errors.As(err, &f):
		return f.field + ": " + f.Error()
	}
	return refusal(err)
}

// refusal is the reason word of a 401.
func refusal(err error) string {
	var r *verify.Refusal
	if !errors.As(err, &r) {
		return ""
	}
	return string(r.Reason)
}
