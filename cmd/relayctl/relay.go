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

// Listed are a ticket's events, as the relay answers.
type listed struct {
	Ticket  string  `json:"ticket"`
	Total   int     `json:"total"`
	Changes []found `json:"changes"`
}

// status asks what became of an event. The relay may wait so long for the outcome
// before it answers.
func (r relay) status(ctx context.Context, id string, b badge, wait time.Duration) (f found, raw []byte, err error) {
	h, err := b.headers()
	if err != nil {
		return found{}, nil, err
	}
	q := url.Values{}
	raw, err = r.look(ctx, "/v1/changes/"+url.PathEscape(id), q, h, wait)
	if err != nil {
		return found{}, nil, fmt.Errorf("asking for %s: %w", id, err)
	}
	if err := json.Unmarshal(raw, &f); err != nil || f.ID == "" {
		return found{}, nil, fmt.Errorf("asking for %s: %w", id, r.stranger())
	}
	return f, raw, nil
}

// ticket asks what became of a ticket's events, as whoever signed the headers.
func (r relay) ticket(ctx context.Context, ticket, tenant string, h http.Header, wait time.Duration) (l listed, raw []byte, err error) {
	q := url.Values{"ticket": {ticket}}
	if tenant != "" {
		q.Set("tenant", tenant)
	}
	raw, err = r.look(ctx, "/v1/changes", q, h, wait)
	if err != nil {
		return listed{}, nil, fmt.Errorf("asking for ticket %s: %w", clean(ticket), err)
	}
	if err := json.Unmarshal(raw, &l); err != nil || l.Ticket != ticket {
		return listed{}, nil, fmt.Errorf("asking for ticket %s: %w", clean(ticket), r.stranger())
	}
	return l, raw, nil
}

// look asks for what the relay knows, or will know in a while.
func (r relay) look(ctx context.Context, path string, q url.Values, h http.Header, wait time.Duration) ([]byte, error) {
	wait = wait.Round(time.Millisecond)
	if wait > 0 {
		q.Set("wait", wait.String())
	}
	if len(q) > 0 {
		path += "?" + q.Encode()
	}
	return r.do(ctx, http.MethodGet, path, h, nil, wait+answerWithin)
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
func (r relay) do(ctx context.Context, method, path string, header http.Header, body []byte, within time.Duration) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, method, r.at(path), bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	if header != nil {
		req.Header = header
	}
	c := http.Client{
		Timeout:       within,
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
