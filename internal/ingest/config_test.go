package ingest

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"

	"changerelay/internal/events"
	"changerelay/internal/ingest/source"
	"changerelay/internal/ingest/verify"
)

func TestNewRefuses(t *testing.T) {
	ok := Source{Name: "a", Kind: "cloudevents", Secrets: []string{deskSecret}, Tenants: []string{"acme"}}
	change := func(f func(*Source)) []Source { s := ok; f(&s); return []Source{s} }
	for want, sources := range map[string][]Source{
		`source "a": kind: "jira" is unknown`:                  change(func(s *Source) { s.Kind = "jira" }),
		`source "a": secrets: there is none`:                   change(func(s *Source) { s.Secrets = nil }),
		`source "a": secrets[0]: is not of the form whsec`:     change(func(s *Source) { s.Secrets = []string{"päss"} }),
		`source "a": signed: "" does not end with {body}`:      change(func(s *Source) { s.Scheme = verify.Scheme{Header: "X", Encoding: "hex"} }),
		`source "a": tenants: there is none`:                   change(func(s *Source) { s.Tenants = nil }),
		`source "a": tenants: "umbrella" is not configured`:    change(func(s *Source) { s.Tenants = []string{"umbrella"} }),
		`source "a": tenants: a servicenow source has exactly`: change(func(s *Source) { s.Kind, s.Tenants = "servicenow", []string{"*"} }),
		`source "a": fields: column "number" is given two`:     change(func(s *Source) { s.Kind, s.Fields = "servicenow", source.Fields{SysID: "number"} }),
		`source "A b": name: want`:                             change(func(s *Source) { s.Name = "A b" }),
		`source "unknown": name: want`:                         change(func(s *Source) { s.Name = "unknown" }),
		`source "a": name: another source has it`:              {ok, ok},
		`source "b": secrets[0]: source "a" has it too`:        {ok, {Name: "b", Kind: "cloudevents", Secrets: []string{deskSecret}, Tenants: []string{"acme"}}},
	} {
		w := &world{broker: &memory{}, log: &bytes.Buffer{}}
		c := config(w)
		c.Sources = sources
		_, err := New(c)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		} else if strings.Contains(err.Error(), deskSecret[6:]) {
			t.Errorf("the error holds a secret: %v", err)
		}
	}
}

func TestNewRefusesParts(t *testing.T) {
	for want, spoil := range map[string]func(*Config){
		"publisher, finder: both": func(c *Config) { c.Finder = nil },
		"metrics: are needed":     func(c *Config) { c.Metrics = nil },
		"base_url: want":          func(c *Config) { c.BaseURL = "changes.example.com" },
	} {
		c := config(&world{broker: &memory{}, log: &bytes.Buffer{}})
		spoil(&c)
		if _, err := New(c); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

func TestBaseURL(t *testing.T) {
	w := &world{broker: &memory{stored: map[string]events.Event{}}, log: &bytes.Buffer{}}
	c := config(w)
	c.BaseURL, c.Log = "https://changes.example.com/", slog.New(slog.DiscardHandler)
	s, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	w.Server = s
	if got := w.do(snow("/v1/hooks/snow", snowBody)).Body.String(); !strings.Contains(got, `"url":"https://changes.example.com/v1/changes/acme.`) {
		t.Errorf("got %s", got)
	}
}
