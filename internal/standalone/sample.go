package standalone

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"

	"changerelay/internal/ingest/verify"
)

// sample is a change request as a ServiceNow business rule sends it. It never
// changes, so a second start shows that a repeated delivery is known.
//
//go:embed sample.json
var sample []byte

// sampleFor bounds the sample's way through the relay.
const sampleFor = 30 * time.Second

// SendSample waits until the relay is ready, posts the sample through the front
// door, signed with the source's secret, and waits until its outcome is known.
func SendSample(ctx context.Context, ingest, admin, source, secret string) (id, outcome string, err error) {
	ctx, cancel := context.WithTimeout(ctx, sampleFor)
	defer cancel()
	for {
		if _, code, _ := ask(ctx, http.MethodGet, admin+"/readyz", nil, nil); code == http.StatusOK {
			break
		}
		if err := pause(ctx); err != nil {
			return "", "", fmt.Errorf("waiting for the relay to be ready: %w", err)
		}
	}
	h, err := verify.Sign(verify.ServiceNow(), secret, "", time.Now(), sample)
	if err != nil {
		return "", "", fmt.Errorf("signing the sample: %w", err)
	}
	h.Set("Content-Type", "application/json")
	h.Set("User-Agent", "ServiceNow/1.0")
	sent, code, err := ask(ctx, http.MethodPost, ingest+"/v1/hooks/"+source, h, sample)
	if err == nil && code >= 300 {
		err = fmt.Errorf("the answer is %d", code)
	}
	if err != nil {
		return "", "", fmt.Errorf("sending the sample: %w", err)
	}
	id = sent.ID
	for {
		answer, code, err := ask(ctx, http.MethodGet, ingest+"/v1/changes/"+id, nil, nil)
		if err == nil && code == http.StatusOK && answer.Outcome != "" {
			return id, answer.Outcome, nil
		}
		if err := pause(ctx); err != nil {
			return id, "", fmt.Errorf("waiting for the sample's outcome: %w", err)
		}
	}
}

type answer struct {
	ID      string `json:"id"`
	Outcome string `json:"outcome"`
}

func ask(ctx context.Context, method, url string, h http.Header, body []byte) (a answer, code int, err error) {
	req, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(body))
	if err != nil {
		return a, 0, err
	}
	for k, v := range h {
		req.Header[k] = v
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return a, 0, err
	}
	defer res.Body.Close()
	err = json.NewDecoder(io.LimitReader(res.Body, 1<<20)).Decode(&a)
	return a, res.StatusCode, err
}

func pause(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(50 * time.Millisecond):
		return nil
	}
}
