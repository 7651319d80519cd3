package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"time"

	"changerelay/internal/events"
	"changerelay/internal/ingest/verify"
)

// A ticket is one approved change of one device.
type ticket struct {
	number, tenant, device string
	remove, restore        []string // apps
}

// event is the ticket as the desk sends it; twice the same is a repeated delivery.
func (t ticket) event(now time.Time) ([]byte, error) {
	e := events.Event{ID: t.number + "-1", Source: "/desk", Ticket: t.number, Tenant: t.tenant, Device: t.device, Time: now.Truncate(time.Millisecond)}
	for _, id := range t.remove {
		e.Changes = append(e.Changes, events.Change{Intent: events.Remove, Item: events.Item{ID: id, Type: events.Application}})
	}
	for _, id := range t.restore {
		e.Changes = append(e.Changes, events.Change{Intent: events.Restore, Item: events.Item{ID: id, Type: events.Application}})
	}
	made, err := events.New(e, now)
	if err != nil {
		return nil, fmt.Errorf("writing ticket %s: %w", t.number, err)
	}
	return made.Encode(), nil
}

// record is the ticket as ServiceNow sends it.
func (t ticket) record() []byte {
	b, _ := json.Marshal(map[string]string{ // cannot fail
		"__table_name": "change_request", "sys_id": "4e1c8a2bdb7f1910a3c5f0e1ca" + t.number[len(t.number)-6:], "number": t.number, "state": "-2", "approval": "approved",
		"sys_updated_on": time.Now().UTC().Format("2006-01-02 15:04:05"), "sys_mod_count": "9", "u_intune_device_id": t.device, "u_intune_app_id": t.remove[0],
	})
	return b
}

// A letter is a request on its way: who signs it, with which secret, and for whom.
type letter struct {
	source, secret string
	body           []byte
}

// An answer is what ingest says of one event.
type answer struct {
	URL     string `json:"url"`
	Outcome string `json:"outcome"`
}

// post sends the letter once. It returns the answer's status, 0 without one, the
// URL of what was taken, and how long to wait before another try.
func (s *stage) post(ctx context.Context, l letter) (code int, url string, retry time.Duration) {
	scheme, path := verify.StandardWebhooks(), "/v1/changes"
	if l.source == "servicenow" {
		scheme, path = verify.ServiceNow(), "/v1/hooks/servicenow"
	}
	h, err := verify.Sign(scheme, l.secret, fmt.Sprintf("msg-%d", time.Now().UnixNano()), time.Now(), l.body)
	if err != nil {
		return 0, "", 0
	}
	h.Set("Content-Type", "application/json")
	var a answer
	code, header := s.call(ctx, http.MethodPost, path, h, l.body, &a)
	retry, _ = time.ParseDuration(header.Get("Retry-After") + "s")
	return code, a.URL, retry
}

// call asks ingest, and decodes what it answers.
func (s *stage) call(ctx context.Context, method, path string, h http.Header, body []byte, into any) (code int, header http.Header) {
	req, err := http.NewRequestWithContext(ctx, method, "http://"+s.ingest+path, bytes.NewReader(body))
	if err != nil {
		return 0, nil
	}
	maps.Copy(req.Header, h)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, nil
	}
	defer res.Body.Close()
	_ = json.NewDecoder(io.LimitReader(res.Body, 1<<20)).Decode(into)
	return res.StatusCode, res.Header
}

// send posts until the letter is taken, as a desk with retries does, and returns
// where its outcome will be.
func (s *stage) send(ctx context.Context, l letter) (url string, err error) {
	ctx, cancel := context.WithTimeout(ctx, sendWithin)
	defer cancel()
	for {
		code, url, retry := s.post(ctx, l)
		if code == http.StatusOK || code == http.StatusAccepted {
			return url, nil
		}
		if code == http.StatusServiceUnavailable {
			s.away.Store(true)
		}
		if code != 0 && code < 500 && code != http.StatusTooManyRequests {
			return "", fmt.Errorf("sending a ticket: ingest answered %d", code)
		}
		if ctx.Err() != nil {
			return "", fmt.Errorf("sending a ticket: %w", ctx.Err())
		}
		pause(ctx, min(max(retry, 200*time.Millisecond), time.Second))
	}
}

// fault has the simulated Graph fail once.
func (s *stage) fault(ctx context.Context, f string) error {
	return s.graphDo(ctx, http.MethodPost, "/faults", f)
}

// graphDo asks the simulated Graph's admin API.
func (s *stage) graphDo(ctx context.Context, method, path, body string) error {
	req, err := http.NewRequestWithContext(ctx, method, "http://"+s.graphAdmin+path, bytes.NewReader([]byte(body)))
	if err != nil {
		return err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("asking graphsim: %w", err)
	}
	defer res.Body.Close()
	said, _ := io.ReadAll(res.Body)
	if res.StatusCode >= 300 {
		return fmt.Errorf("asking graphsim for %s: %s: %s", path, res.Status, said)
	}
	return nil
}
