package ingest_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// The sources' keys.
const (
	deskLoadKey = "a-key-of-the-load-test-32-bytes!"
	snowLoadKey = "another-key-of-the-load-test"
)

type request = http.Request

// number makes each request of this run another event.
var number = func() *atomic.Int64 {
	var n atomic.Int64
	n.Store(time.Now().UnixNano())
	return &n
}()

// changeRequest is a CloudEvent signed as Standard Webhooks has it.
func changeRequest(url string, n int64) (*request, error) {
	now := time.Now()
	body := fmt.Appendf(nil, `{"specversion":"1.0","id":"%d","source":"/desk/emea","type":"changerelay.change.v1","time":"%s","subject":"CHG%d",`+
		`"datacontenttype":"application/json","data":{"tenant":"acme","device":"%s","changes":[`+
		`{"intent":"remove","item":{"id":"a7d7a9a2-3a57-4e7c-8f3b-5b8f2f0c9e21","type":"application"}}]}}`,
		n, now.UTC().Format(time.RFC3339), n, device(n))
	id, stamp := "msg_"+strconv.FormatInt(n, 10), strconv.FormatInt(now.Unix(), 10)
	r, err := http.NewRequest(http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Webhook-Id", id)
	r.Header.Set("Webhook-Timestamp", stamp)
	r.Header.Set("Webhook-Signature", "v1,"+sign(deskLoadKey, id, ".", stamp, ".", string(body)))
	return r, nil
}

// hookRequest is what the business rule of docs/sources.md sends.
func hookRequest(url string, n int64) (*request, error) {
	body := fmt.Appendf(nil, `{"sys_id":"%032x","number":"CHG%d","approval":"approved","sys_updated_on":"%s","sys_mod_count":"9",`+
		`"u_intune_device_id":"%s","u_intune_app_id":"a7d7a9a2-3a57-4e7c-8f3b-5b8f2f0c9e21","u_assignment_action":"remove"}`,
		n, n, time.Now().UTC().Format(time.DateTime), device(n))
	r, err := http.NewRequest(http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("X-Hmac-Signature", sign(snowLoadKey, string(body)))
	return r, nil
}

// device is one of a fleet of 100 000.
func device(n int64) string { return fmt.Sprintf("6f4c1f0e-6a0c-4b0f-9a1c-%012x", n%100_000) }

func sign(key string, parts ...string) string {
	m := hmac.New(sha256.New, []byte(key))
	for _, p := range parts {
		m.Write([]byte(p))
	}
	return base64.StdEncoding.EncodeToString(m.Sum(nil))
}

// run sends for d, on all connections at once, and notes the turn.
func (k *kind) run(b *testing.B, d time.Duration) {
	b.Helper()
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: loadConns, MaxConnsPerHost: loadConns}}
	defer client.CloseIdleConnections()
	before := k.used()
	end := time.Now().Add(d)
	took := make([][]time.Duration, loadConns)
	var senders sync.WaitGroup
	for i := range took {
		senders.Go(func() {
			for time.Now().Before(end) {
				one, err := k.send(client)
				if err != nil {
					b.Errorf("%s: %v", k.name, err)
					return
				}
				took[i] = append(took[i], one)
			}
		})
	}
	senders.Wait()
	all := slices.Sorted(slices.Values(slices.Concat(took...)))
	n := time.Duration(len(all))
	if n == 0 {
		b.Fatalf("%s: there is no answer", k.name)
	}
	used := k.used().minus(before)
	k.turns = append(k.turns, turn{
		rate: float64(n) / d.Seconds(), p50: all[n/2], p99: all[n*99/100],
		client: used.client / n, server: used.server / n, broker: used.broker / n,
	})
}

// send sends one event and checks that it was stored; an empty handler says 202
// and no more.
func (k *kind) send(client *http.Client) (time.Duration, error) {
	r, err := k.request(k.url, number.Add(1))
	if err != nil {
		return 0, err
	}
	start := time.Now()
	res, err := client.Do(r)
	if err != nil {
		return 0, err
	}
	defer res.Body.Close()
	var answer struct{ ID, Status string }
	if res.ContentLength != 0 {
		err = json.NewDecoder(res.Body).Decode(&answer)
	}
	took := time.Since(start)
	if res.StatusCode != http.StatusAccepted || err != nil || k.broker != nil && (answer.Status != "queued" || answer.ID == "") {
		return 0, fmt.Errorf("answered %d, %+v, %v; want 202, queued", res.StatusCode, answer, err)
	}
	return took, nil
}
