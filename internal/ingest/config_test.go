package ingest

import (
	"log/slog"
	"math"
	"net/netip"
	"strings"
	"testing"

	"changerelay/internal/await"
	"changerelay/internal/events"
	"changerelay/internal/ingest/verify"
)

func TestNewRefuses(t *testing.T) {
	ok := Source{Name: "a", Kind: "cloudevents", Checks: signed("standard-webhooks", deskSecret), Tenants: []string{"acme"}}
	change := func(f func(*Source)) []Source { s := ok; f(&s); return []Source{s} }
	for want, sources := range map[string][]Source{
		`source "a": kind: "fax" is unknown`:                   change(func(s *Source) { s.Kind = "fax" }),
		`source "a": there is no check`:                        change(func(s *Source) { s.Checks = verify.Config{} }),
		`source "a": signature.keys[0].secret: is`:             change(func(s *Source) { s.Checks = signed("standard-webhooks", "päss") }),
		`source "a": tenants: there is none`:                   change(func(s *Source) { s.Tenants = nil }),
		`source "a": tenants: "umbrella" is not configured`:    change(func(s *Source) { s.Tenants = []string{"umbrella"} }),
		`source "a": tenants: want exactly one`:                change(func(s *Source) { s.Kind, s.Tenants = "servicenow", []string{"*"} }),
		`source "a": fields.colour: is not a meaning`:          change(func(s *Source) { s.Kind, s.Fields = "servicenow", map[string]string{"colour": "u_colour"} }),
		`source "a": intents: is empty`:                        change(func(s *Source) { s.Intents = []events.Intent{} }),
		`source "a": intents[0]: "install" is none`:            change(func(s *Source) { s.Intents = []events.Intent{"install"} }),
		`source "a": item_types: is empty`:                     change(func(s *Source) { s.ItemTypes = []events.ItemType{} }),
		`source "a": item_types[0]: "app" is none`:             change(func(s *Source) { s.ItemTypes = []events.ItemType{"app"} }),
		`source "a": allow_from: is empty`:                     change(func(s *Source) { s.AllowFrom = []netip.Prefix{} }),
		`source "a": allow_from[0]: want a range`:              change(func(s *Source) { s.AllowFrom = []netip.Prefix{netip.MustParsePrefix("::ffff:192.0.2.0/120")} }),
		`source "a": allow_from[1]: want a range`:              change(func(s *Source) { s.AllowFrom = []netip.Prefix{netip.MustParsePrefix("::/0"), {}} }),
		`source "a": max_body: -1 is not within 1 to 10485760`: change(func(s *Source) { s.MaxBody = -1 }),
		`source "a": max_body: 10485761 is not`:                change(func(s *Source) { s.MaxBody = MaxBody + 1 }),
		`source "a": rate.per_second: want a number`:           change(func(s *Source) { s.Rate.PerSecond = math.NaN() }),
		`source "a": rate: want per_second`:                    change(func(s *Source) { s.Rate.Burst = 5 }),
		`source "a": handshake.kind: "sns" is unknown`:         change(func(s *Source) { s.Handshake.Kind = "sns" }),
		`source "a": handshake.allow: want origins`:            change(func(s *Source) { s.Handshake.Kind = "cloudevents" }),
		`source "a": handshake.allow: want names of event sub`: change(func(s *Source) { s.Handshake = Handshake{"eventgrid", []string{""}} }),
		`source "a": handshake.allow: is for kinds`:            change(func(s *Source) { s.Handshake = Handshake{"slack", []string{"x"}} }),
		`source "A b": name: want`:                             change(func(s *Source) { s.Name = "A b" }),
		`source "unknown": name: want`:                         change(func(s *Source) { s.Name = "unknown" }),
		`source "a": name: another source has it`:              {ok, ok},
		`source "b": signature.keys[0].secret: source "a" has`: {ok, {Name: "b", Kind: "cloudevents", Checks: ok.Checks, Tenants: []string{"acme"}}},
	} {
		w := &world{t: t, broker: &memory{}, log: &await.Log{}}
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
		"publisher, finder, parker, marks: all": func(c *Config) { c.Finder = nil },
		"rate: want per_second":                 func(c *Config) { c.Rate.Burst = -1 },
		"proxies[0]: want a range":              func(c *Config) { c.Proxies = []netip.Prefix{{}} },
		"metrics: are needed":                   func(c *Config) { c.Metrics = nil },
		"base_url: want":                        func(c *Config) { c.BaseURL = "changes.example.com" },
	} {
		c := config(&world{t: t, broker: &memory{}, log: &await.Log{}})
		spoil(&c)
		if _, err := New(c); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

func TestBaseURL(t *testing.T) {
	w := &world{t: t, broker: newMemory(), log: &await.Log{}}
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
