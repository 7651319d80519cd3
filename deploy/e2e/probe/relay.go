package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"
)

// tenant is the demo's.
const tenant = "demo"

// patience is how long anything is waited for: longer than a worker that died holds a
// device, and than a Retry-After.
const patience = 4 * time.Minute

// A relay is the ingest service as a sender sees it.
type relay struct {
	url    string
	secret []byte
	client *http.Client
}

func newRelay() *relay {
	text, _ := os.ReadFile(os.Getenv("SOURCE_SECRET")) // refused later, as unsigned
	secret, _ := base64.StdEncoding.DecodeString(strings.TrimPrefix(strings.TrimSpace(string(text)), "whsec_"))
	return &relay{os.Getenv("RELAY_URL"), secret, &http.Client{Timeout: 15 * time.Second}}
}

// An answer is what a sender is told.
type answer struct {
	code      int
	again     time.Duration // Retry-After; 0 without one
	text      string
	ID        string `json:"id"`
	Duplicate bool   `json:"duplicate"`
}

// post sends an event. Its error is that of a connection.
func (r *relay) post(ctx context.Context, e event) (answer, error) {
	body := e.body()
	ctx, judge := watch(ctx)
	q, err := http.NewRequestWithContext(ctx, http.MethodPost, r.url+"/v1/changes", bytes.NewReader(body))
	if err != nil {
		return answer{}, err
	}
	sign(q.Header, r.secret, e.id, body)
	a, err := r.do(q)
	return a, judge(err)
}

func (r *relay) do(q *http.Request) (answer, error) {
	w, err := r.client.Do(q)
	if err != nil {
		return answer{}, err
	}
	defer w.Body.Close()
	data, err := io.ReadAll(w.Body)
	if err != nil {
		return answer{}, fmt.Errorf("reading the answer: %w", err)
	}
	a := answer{code: w.StatusCode, text: string(data)}
	seconds, _ := strconv.Atoi(w.Header.Get("Retry-After"))
	a.again = time.Duration(seconds) * time.Second
	_ = json.Unmarshal(data, &a) // a refusal has no id
	return a, nil
}

// send tries until there is an answer; other than 503, unless one is enough.
func send(ctx context.Context, r *relay, e event, once bool) error {
	ctx, stop := context.WithTimeout(ctx, patience)
	defer stop()
	for {
		a, err := r.post(ctx, e)
		switch {
		case err != nil:
		case a.code != http.StatusServiceUnavailable:
			fmt.Println(a.code, a.ID)
			return nil
		case once:
			fmt.Println(a.code, "Retry-After", a.again)
			return nil
		}
		if !pause(ctx, time.Second) {
			return fmt.Errorf("sending: %w", errors.Join(err, ctx.Err()))
		}
	}
}

// end waits for an event's outcome.
func end(ctx context.Context, r *relay, id string) error {
	ctx, stop := context.WithTimeout(ctx, patience)
	defer stop()
	last := answer{}
	for {
		q, err := http.NewRequestWithContext(ctx, http.MethodGet, r.url+"/v1/changes/"+id+"?wait=10s", nil)
		if err != nil {
			return err
		}
		if a, err := r.do(q); err == nil {
			last = a
			var receipt struct{ State, Outcome string }
			if json.Unmarshal([]byte(a.text), &receipt) == nil && receipt.State == "final" {
				fmt.Println(receipt.Outcome)
				return nil
			}
		}
		if !pause(ctx, time.Second) {
			return fmt.Errorf("there is no outcome in %s; the last answer was %d %s", patience, last.code, last.text)
		}
	}
}

// pause reports whether there is time left.
func pause(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}
