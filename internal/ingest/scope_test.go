package ingest

import (
	"net/http"
	"strings"
	"testing"

	"changerelay/internal/events"
)

// A leaked secret reaches no further than its source.
func TestScope(t *testing.T) {
	remove, restore := []events.Intent{events.Remove}, []events.Intent{events.Restore}
	apps, policies := []events.ItemType{events.Application}, []events.ItemType{events.DeviceConfiguration, events.MobileAppConfiguration}
	body := change("1", "acme", "a")
	all := strings.Replace(body, `{"intent":"remove","item":{"id":"a","type":"application"}}`, `{"intent":"restore_all"}`, 1)
	two := strings.Replace(body, `"changes":[`, `"changes":[{"intent":"restore","item":{"id":"b","type":"deviceConfiguration"}},`, 1)
	for name, c := range map[string]struct {
		body  string
		scope func(*Source)
		code  int
		text  string
	}{
		"all":              {body, func(*Source) {}, 202, "queued"},
		"intent":           {body, func(s *Source) { s.Intents = remove }, 202, "queued"},
		"other intent":     {body, func(s *Source) { s.Intents = restore }, 403, `"field":"data.changes[0].intent","reason":"source desk may not remove anything, as for item a;`},
		"item type":        {body, func(s *Source) { s.ItemTypes = apps }, 202, "queued"},
		"other item type":  {body, func(s *Source) { s.ItemTypes = policies }, 403, `"field":"data.changes[0].item.type","reason":"source desk may not move items of type application, as for item a;`},
		"one of two":       {two, func(s *Source) { s.Intents = remove }, 403, `"field":"data.changes[1].intent","reason":"source desk may not restore anything, as for item b;`},
		"type of two":      {two, func(s *Source) { s.ItemTypes = apps }, 403, `"field":"data.changes[1].item.type"`},
		"tenant":           {change("1", "initech", "a"), func(*Source) {}, 403, `"field":"data.tenant","reason":"source desk may not speak for tenant initech"`},
		"all by default":   {all, func(*Source) {}, 403, `"field":"data.changes[0].intent","reason":"source desk may not restore everything (restore_all); have it allowed`},
		"all unnamed":      {all, func(s *Source) { s.Intents = restore }, 403, `"field":"data.changes[0].intent"`},
		"all named":        {all, func(s *Source) { s.Intents = []events.Intent{events.RestoreAll} }, 202, "queued"},
		"all is not each":  {body, func(s *Source) { s.Intents = []events.Intent{events.RestoreAll} }, 403, `may not remove anything`},
		"all of one type":  {all, func(s *Source) { s.Intents, s.ItemTypes = []events.Intent{events.RestoreAll}, apps }, 403, `may not move items of every type`},
		"tenant before it": {change("1", "initech", "a"), func(s *Source) { s.Intents = restore }, 403, `"field":"data.tenant"`},
	} {
		w := newWorld(t, withSource("desk", c.scope))
		rec := w.do(desk(deskKey, "/v1/changes", c.body, clock))
		if rec.Code != c.code || !strings.Contains(rec.Body.String(), c.text) {
			t.Errorf("%s: got %d %s, want %d %s", name, rec.Code, rec.Body, c.code, c.text)
		}
		if stored := len(w.broker.stored); (stored == 1) != (c.code == 202) {
			t.Errorf("%s: %d events are stored", name, stored)
		}
		if reason, _ := w.lastLine(t)["reason"].(string); strings.Contains(reason, "item a") {
			t.Errorf("%s: the log has the sender's words: %s", name, reason)
		}
	}
}

// Of several events in one body, one that is not allowed stops all.
func TestScopeOfBatch(t *testing.T) {
	w := newWorld(t, withSource("desk", func(s *Source) { s.Tenants = []string{"acme"} }))
	r := desk(deskKey, "/v1/changes", "["+change("1", "acme", "a")+","+change("2", "globex", "a")+"]", clock)
	r.Header.Set("Content-Type", "application/cloudevents-batch+json")
	if rec := w.do(r); rec.Code != http.StatusForbidden || len(w.broker.stored) != 0 {
		t.Errorf("got %d %s, and %d events", rec.Code, rec.Body, len(w.broker.stored))
	}
}
