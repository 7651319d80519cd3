package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"changerelay/internal/events"
)

// explain adds to an error what to do about it.
func (s *send) explain(err error, name string, list []events.Event) error {
	var e *refusal
	switch {
	case errors.As(err, &e) && e.code == http.StatusUnauthorized:
		return fmt.Errorf("sending: %w; is the secret of source %s in %s the relay's, and are both clocks right?", err, name, s.Config)
	case errors.As(err, &e) && e.code < 500:
		return fmt.Errorf("sending: %w", err)
	case s.File == "":
		return fmt.Errorf("sending: %w\nit may be stored or not; repeat the command with %s: nothing is done twice", err, again(list[0]))
	}
	return fmt.Errorf("sending: %w\nit may be stored or not; send the same file again: nothing is done twice", err)
}

// again is how an event made of flags is repeated.
func again(e events.Event) string {
	return fmt.Sprintf("--id %s --time %s", e.ID, e.Time.Format(time.RFC3339Nano))
}

// An answer to one event.
type answer struct {
	ID        string `json:"id"`
	Status    string `json:"status"`
	Duplicate bool   `json:"duplicate"`
	URL       string `json:"url"`
	Reason    string `json:"reason"` // why a body was ignored
}

// answers reads the answer to a body with one event, or with several.
func (s *send) answers(raw []byte) ([]answer, error) {
	var v struct {
		answer
		Events []answer `json:"events"`
	}
	if err := json.Unmarshal(raw, &v); err != nil {
		return nil, s.stranger()
	}
	if v.Status == "ignored" {
		return nil, fmt.Errorf("the relay ignored it: %s", clean(v.Reason))
	}
	if len(v.Events) == 0 {
		v.Events = []answer{v.answer}
	}
	for _, a := range v.Events {
		if _, err := events.ParseRef(a.ID); err != nil {
			return nil, s.stranger()
		}
	}
	return v.Events, nil
}

func (s *send) print(out io.Writer, raw []byte, answers []answer, name string, list []events.Event) error {
	if s.json() {
		_, err := fmt.Fprintln(out, strings.TrimSpace(string(raw)))
		return err
	}
	t := newTable(out)
	for i, a := range answers {
		if i > 0 {
			t.gap()
		}
		t.row("id", a.ID)
		switch {
		case a.Duplicate:
			t.row("status", "duplicate: the same event was stored before")
		case a.Status == "queued":
			t.row("status", "queued: the relay has stored it")
		default:
			t.row("status", a.Status)
		}
		t.row("status URL", s.at(a.URL))
		t.row("source", name)
		if s.File == "" {
			t.row("repeat with", again(list[0]))
		}
		if !s.Wait {
			t.row("next", "relayctl status "+a.ID+" --wait"+s.flag())
		}
	}
	if s.Wait {
		t.gap()
	}
	return t.flush()
}
