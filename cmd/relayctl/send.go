package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"changerelay/cmd/internal/boot"
	"changerelay/internal/events"
	"changerelay/internal/ingest/source"
)

// send signs a change event as a configured source does, and posts it.
type send struct {
	boot.Flags
	relay
	wish
	form
	Source  string        `placeholder:"NAME" help:"Source whose secret signs; the first of kind cloudevents if left out."`
	File    string        `placeholder:"FILE" help:"Send this body as it is: a CloudEvent, or a record of a servicenow source; - is standard input."`
	Force   bool          `help:"Send it even if the configuration here says that the relay would refuse it."`
	Wait    bool          `help:"Wait for the final outcome; exit with 1 if it is one that a person must look at."`
	Timeout time.Duration `default:"2m" help:"How long to wait; default ${default}."`

	in io.Reader // standard input
}

func (send) Help() string {
	return `The event is checked before anything is sent, also against the configuration: the
tenant, and what the source may ask for. It is signed with the source's first
secret that is good, or bears its password or token; run this where the relay's
configuration and secrets are.

With --wait the exit code is 1 if the outcome is one that a person must look at,
or if there is none within --timeout. A command that ended without an answer can
be repeated: it says how, and nothing is done twice.

Examples:

    relayctl send --tenant acme --device 0f9a6d1e-7b0a-4d0e-9a52-3c1b7f0a1d11 --ticket CHG0031337 \
        --remove a7d7a9a2-1c0e-4b7e-9f43-0d7b1a2c3d4e \
        --remove 3f1c2b7a-5e0d-4c8b-9a61-7d2e4f6a8b0c:deviceConfiguration --wait
    relayctl send --file event.json
    jq .change ticket.json | relayctl send --source desk --file - --output json
    relayctl send --source servicenow --file record.json
`
}

// Validate is called by the command line's parser.
func (s *send) Validate() error {
	if err := s.relay.Validate(); err != nil {
		return err
	}
	missing := s.missing()
	switch {
	case s.File != "" && !s.empty():
		return errors.New("give --file, or an event by flags, not both")
	case s.File == "" && len(missing) > 0:
		return fmt.Errorf("missing flags: %s; or give the whole event with --file", strings.Join(missing, ", "))
	}
	return nil
}

// Run is called by the command line's parser.
func (s *send) Run(ctx context.Context, out io.Writer) error {
	c, err := s.Load()
	if err != nil {
		return err
	}
	name, src, err := s.pick(c)
	if err != nil {
		return err
	}
	body, list, err := s.body(name, src, time.Now())
	if err != nil {
		return fmt.Errorf("nothing was sent: %w", err)
	}
	header, err := signed(c, name, body)
	if err != nil {
		return fmt.Errorf("nothing was sent: %w", err)
	}
	path := "/v1/changes"
	if src.Kind != "cloudevents" {
		path = "/v1/hooks/" + name
	}
	if !s.Force {
		if err := s.check(c, name, path, header, body, list); err != nil {
			return fmt.Errorf("nothing was sent: %w", err)
		}
	}
	raw, err := s.do(ctx, http.MethodPost, path, header, body, answerWithin)
	if err != nil {
		return s.explain(err, name, list)
	}
	answers, err := s.answers(raw)
	if err != nil {
		return fmt.Errorf("sending: %w", err)
	}
	if err := s.print(out, raw, answers, name, list); err != nil || !s.Wait {
		return err
	}
	for _, a := range answers {
		err = errors.Join(err, s.outcome(ctx, out, c, a.ID))
	}
	return err
}

// outcome waits for the outcome of what was sent. A source of another kind than
// cloudevents cannot ask; one that can does.
func (s *send) outcome(ctx context.Context, out io.Writer, c *boot.Config, id string) error {
	var name string
	var b badge
	if guessable(id) {
		asks := s.Source
		if c.Sources[asks].Kind != "cloudevents" {
			asks = ""
		}
		var err error
		if name, b, err = reader(c, asks, s.Config); err != nil {
			return fmt.Errorf("it was sent, but its outcome is shown to a source of kind cloudevents alone: %w", err)
		}
	}
	return turnedDown(s.finish(ctx, out, id, b, s.Timeout, true, s.json()), name, s.Config)
}

// pick chooses the source that signs.
func (s *send) pick(c *boot.Config) (string, boot.Source, error) {
	name, src, err := signing(c, s.Source, s.Config)
	if err == nil && src.Kind != "cloudevents" && s.File == "" {
		err = fmt.Errorf("the source %s is of kind %s: give a body of its own with --file, or name another --source", name, src.Kind)
	}
	return name, src, err
}

// signing chooses the source that signs: the one that is named, or the first of kind
// cloudevents.
func signing(c *boot.Config, name, file string) (string, boot.Source, error) {
	var names, able []string
	for n, src := range c.Sources {
		names = append(names, n)
		if src.Kind == "cloudevents" {
			able = append(able, n)
		}
	}
	slices.Sort(names)
	slices.Sort(able)
	switch {
	case name == "" && len(able) == 0:
		return "", boot.Source{}, fmt.Errorf("%s has no source of kind cloudevents, whose secret could sign; add one", file)
	case name == "":
		name = able[0]
	}
	src, ok := c.Sources[name]
	if !ok {
		return "", boot.Source{}, fmt.Errorf("there is no source %q in %s; it has %s", name, file, strings.Join(names, ", "))
	}
	return name, src, nil
}

// body returns the bytes to send and what the relay will make of them.
func (s *send) body(name string, src boot.Source, now time.Time) ([]byte, []events.Event, error) {
	if s.File == "" {
		e, err := s.event(now)
		return e.Encode(), []events.Event{e}, err
	}
	b, err := s.read(src.MaxBody)
	if err != nil {
		return nil, nil, err
	}
	d, err := src.Decoder(name)
	if err != nil {
		return nil, nil, err
	}
	decoded, err := d.Decode(source.Delivery{Header: http.Header{"Content-Type": {mediaType}}, Body: b, Now: now})
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", s.File, err)
	}
	return b, decoded.Events, nil
}

func (s *send) read(most int) ([]byte, error) {
	r := s.in
	if s.File != "-" {
		f, err := os.Open(s.File)
		if err != nil {
			return nil, fmt.Errorf("--file: %w", err)
		}
		defer f.Close()
		r = f
	}
	b, err := io.ReadAll(io.LimitReader(r, int64(most)+1))
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", s.File, err)
	}
	if len(b) > most {
		return nil, fmt.Errorf("%s has more than %d bytes, which the relay does not take from this source", s.File, most)
	}
	return b, nil
}

// mediaType is that of all bodies that are sent.
const mediaType = "application/json"

// signed returns the headers of a request of the source.
func signed(c *boot.Config, name string, body []byte) (http.Header, error) {
	src, err := c.IngestSource(name)
	if err != nil {
		return nil, err
	}
	h, err := sign(src.Checks, time.Now(), body)
	if err != nil {
		return nil, fmt.Errorf("source %s: %w", name, err)
	}
	h.Set("Content-Type", mediaType)
	return h, nil
}
