package main

import (
	"errors"
	"fmt"
	"net/http"

	"changerelay/cmd/internal/boot"
	"changerelay/internal/events"
)

// A badge makes the headers of one question: its time may be signed. A nil badge is
// for what the relay tells everybody who knows to ask.
type badge func() (http.Header, error)

func (b badge) headers() (http.Header, error) {
	if b == nil {
		return nil, nil
	}
	h, err := b()
	if err != nil {
		return nil, fmt.Errorf("nothing was asked: %w", err)
	}
	return h, nil
}

// guessable reports whether an event's id has no device: then it is made of what
// can be guessed, and the relay wants to know who asks.
func guessable(id string) bool {
	ref, err := events.ParseRef(id)
	return err == nil && ref.Unresolved()
}

// reader chooses the source that asks and makes its badge. An empty name is the
// first that can.
func reader(c *boot.Config, source, file string) (name string, b badge, err error) {
	name, src, err := signing(c, source, file)
	if err == nil && src.Kind != "cloudevents" {
		err = fmt.Errorf("the source %s is of kind %s, which cannot ask; name one of kind cloudevents with --source", name, src.Kind)
	}
	return name, func() (http.Header, error) { return signed(c, name, nil) }, err
}

// turnedDown adds to the error of a question what to do about it.
func turnedDown(err error, name, file string) error {
	var e *refusal
	if errors.As(err, &e) && e.code == http.StatusUnauthorized && name != "" {
		return fmt.Errorf("%w; is the secret of source %s in %s the relay's, and are both clocks right?", err, name, file)
	}
	return err
}
