package main

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// itemsEach is how many items a device can have under removal.
const itemsEach = 30

// deviceID is the Intune id of a device, by number; the trial's scenario has the same.
func deviceID(n int) string { return fmt.Sprintf("e2e00000-0000-4000-8000-%012x", n) }

func itemID(n int) string { return fmt.Sprintf("e2e11111-0000-4000-8000-%012x", n) }

// An event is a wish for one item of one device.
type event struct {
	id, device, item, intent string
	at                       time.Time
}

func newEvent(device, item int, intent string) event {
	return event{rand.Text(), deviceID(device), itemID(item), intent, time.Now().UTC()}
}

func (e event) body() []byte {
	data, err := json.Marshal(map[string]any{
		"specversion": "1.0", "id": e.id, "source": "/e2e", "type": "changerelay.change.v1",
		"time": e.at.Format(time.RFC3339Nano), "subject": "E2E-" + e.id[:8],
		"data": map[string]any{
			"tenant": tenant, "device": e.device,
			"changes": []any{map[string]any{"intent": e.intent, "item": map[string]string{"id": e.item, "type": "application"}}},
		},
	})
	if err != nil {
		panic(err) // strings alone
	}
	return data
}

// sign adds the headers of Standard Webhooks.
func sign(h http.Header, secret []byte, id string, body []byte) {
	at := strconv.FormatInt(time.Now().Unix(), 10)
	m := hmac.New(sha256.New, secret)
	fmt.Fprintf(m, "%s.%s.%s", id, at, body)
	h.Set("Webhook-Id", id)
	h.Set("Webhook-Timestamp", at)
	h.Set("Webhook-Signature", "v1,"+base64.StdEncoding.EncodeToString(m.Sum(nil)))
	h.Set("Content-Type", "application/cloudevents+json")
}
