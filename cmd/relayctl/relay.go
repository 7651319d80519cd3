package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"changerelay/internal/events"
)

// A relay is the ingest service, as senders see it.
type relay struct {
	URL string `name:"url" env:"CHANGERELAY_URL" default:"http://127.0.0.1:8080" placeholder:"URL" help:"Where the relay takes webhooks; default ${default}."`
}

// Validate is called by the command line's parser.
func (r relay) Validate() error {
	u, err := url.Parse(r.URL)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.User != nil || strings.ContainsAny(r.URL, "?#") {
		return errors.New("--url: want one such as https://relay.example, without credentials and query")
	}
	return nil
}

// flag is --url as it has to be typed again, "" if it is the default.
func (r relay) flag() string {
	if r.URL == "http://127.0.0.1:8080" {
		return ""
	}
	return " --url " + r.URL
}

// at is the address of a path, or of a status URL, which may be relative.
func (r relay) at(path string) string {
	if strings.HasPrefix(path, "/") {
		return strings.TrimRight(r.URL, "/") + path
	}
	return path
}

// A found event, as the relay answers.
type found struct {
	Status string `json:"status"`
	events.Receipt
}

// status asks what became of an event.
func (r relay) status(ctx context.Context, id string) (f found, raw []byte, err error) {
	raw, err = r.do(ctx, http.MethodGet, "/v1/changes/"+url.PathEscape(id), nil, nil)
	if err != nil {
		return found{}, nil, fmt.Errorf("asking for %s: %w", id, err)
	}
	if err := json.Unmarshal(raw, &f); err != nil || f.ID == "" {
		return found{}, nil, fmt.Errorf("asking for %s: %w", id, r.stranger())
	}
	return f, raw, nil
}

// await asks until the outcome is final. heard says that the relay has answered
// before: then one that is away for a while is waited for.
func (r relay) await(ctx context.Context, id string, timeout time.Duration, heard bool) (f found, raw []byte, err error) {
	waiting, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	for pause := pollMin; waiting.Err() == nil; pause = min(2*pause, pollMax) {
		g, b, failed := r.status(waiting, id)
		switch {
		case failed == nil && g.Outcome.Final():
			return g, b, nil
		case failed == nil:
			f, raw, err, heard = g, b, nil, true
		case waiting.Err() != nil: // the time was over, which says nothing of the relay
		case !heard || !passing(failed):
			return found{}, nil, failed
		default:
			err = failed
		}
		select {
		case <-waiting.Done():
		case <-time.After(pause):
		}
	}
	if ctx.Err() != nil {
		return found{}, nil, ctx.Err()
	}
	return f, raw, errors.Join(fmt.Errorf("there is no outcome after %s; ask again later: relayctl status %s%s", timeout, id, r.flag()), err)
}

// A refusal is an answer that is none of the 2xx.
type refusal struct {
	code int
	said problem
}

// A problem is the body of such an answer.
type problem struct {
	Error     string `json:"error"`
	Field     string `json:"field"`
	Reason    string `json:"reason"`
	ID        string `json:"id"`
	RequestID string `json:"request_id"`
}

func (e *refusal) Error() string {
	s := fmt.Sprintf("the relay answered %d %s", e.code, e.said.Error)
	if e.said.Field != "" {
		s += ": " + e.said.Field
	}
	s += ": " + e.said.Reason
	if e.said.ID != "" {
		s += "; the event is " + e.said.ID
	}
	if e.said.RequestID != "" {
		s += " (request-id " + e.said.RequestID + ")"
	}
	return clean(s)
}

// passing reports whether an error may be over at the next try: the relay's own,
// or that of a gateway before it.
func passing(err error) bool {
	var e *refusal
	return !errors.As(err, &e) || e.code >= 500 || e.code == http.StatusTooManyRequests
}

// do makes one request and returns the answer's body. Redirects are not
// followed: a signature is for the one who was asked.
func (r relay) do(ctx context.Context, method, path string, header http.Header, body []byte) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, method, r.at(path), bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	if header != nil {
		req.Header = header
	}
	c := http.Client{
		Timeout:       answerWithin,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	resp, err := c.Do(req)
	if err != nil {
		return nil, r.away(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return nil, r.away(err)
	}
	if resp.StatusCode/100 == 2 {
		return b, nil
	}
	e := &refusal{code: resp.StatusCode}
	if json.Unmarshal(b, &e.said) != nil || e.said.Error == "" {
		e.said = problem{Error: http.StatusText(e.code), Reason: r.stranger().Error()}
	}
	return nil, e
}

// away explains a request without an answer. http's own error names the URL,
// which is known.
func (r relay) away(err error) error {
	if e := (*url.Error)(nil); errors.As(err, &e) {
		err = e.Err
	}
	return fmt.Errorf("%s does not answer: %w; is the relay there? --url names another place", r.URL, err)
}

func (r relay) stranger() error {
	return fmt.Errorf("this is no answer of the relay; is something else at %s?", r.URL)
}
