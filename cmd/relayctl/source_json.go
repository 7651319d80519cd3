package main

import (
	"errors"
	"io"
	"maps"
	"slices"
	"time"

	"changerelay/cmd/internal/boot"
	"changerelay/internal/ingest"
	"changerelay/internal/ingest/verify"
)

// A sourceObject is a source as source list --output json prints it. Fields may
// be added; those that are here keep their names and meanings.
type sourceObject struct {
	Source    string      `json:"source"`
	Kind      string      `json:"kind"`
	Paths     []string    `json:"paths"`
	Checks    []string    `json:"checks"` // all must pass; empty beside an error
	Keys      []keyObject `json:"keys"`
	SignsTime bool        `json:"signs_time"` // a captured request is not good for ever
	Tenants   []string    `json:"tenants"`
	Intents   []string    `json:"intents,omitempty"`    // absent: all
	ItemTypes []string    `json:"item_types,omitempty"` // absent: all
	AllowFrom []string    `json:"allow_from,omitempty"` // absent: any address
	Error     string      `json:"error,omitzero"`       // why its checks cannot be made
}

// A keyObject is a key without its secret.
type keyObject struct {
	Check     string    `json:"check"`
	ID        string    `json:"id"`
	Good      bool      `json:"good"` // now
	NotBefore time.Time `json:"not_before,omitzero"`
	NotAfter  time.Time `json:"not_after,omitzero"`
}

func listObjects(out io.Writer, c *boot.Config, now time.Time) error {
	var broken []error
	for _, name := range slices.Sorted(maps.Keys(c.Sources)) {
		src, err := c.IngestSource(name)
		if err != nil {
			broken = append(broken, err)
		}
		if err := printJSON(out, sourceObjectOf(name, c.Sources[name], src, err, now)); err != nil {
			return err
		}
	}
	return errors.Join(broken...)
}

func sourceObjectOf(name string, conf boot.Source, src ingest.Source, err error, now time.Time) sourceObject {
	o := sourceObject{Source: name, Kind: conf.Kind, Paths: paths(conf.Kind, name), Checks: []string{}, Keys: []keyObject{},
		Tenants: orEmpty(conf.Tenants), Intents: conf.Intents, ItemTypes: conf.ItemTypes}
	for _, p := range conf.AllowFrom {
		o.AllowFrom = append(o.AllowFrom, p.String())
	}
	if err != nil {
		o.Error = err.Error()
		return o
	}
	v, err := verify.New(src.Checks)
	if err != nil {
		o.Error = err.Error()
		return o
	}
	defer v.Close()
	o.Checks, o.SignsTime = orEmpty(v.Checks()), v.SignsTime()
	for _, r := range rings(src.Checks) {
		for _, k := range r.keys {
			o.Keys = append(o.Keys, keyObject{r.check, k.ID, active(k, now), k.NotBefore.UTC(), k.NotAfter.UTC()})
		}
	}
	return o
}

// A checkObject is what source check --output json prints.
type checkObject struct {
	Source    string        `json:"source"`
	Code      int           `json:"code"` // that the sender would get
	Word      string        `json:"word"` // in the answer, or the log
	Checks    []string      `json:"checks"`
	Keys      []useObject   `json:"keys"`
	Delivery  string        `json:"delivery,omitzero"`
	SignedAt  time.Time     `json:"signed_at,omitzero"`
	Refusal   string        `json:"refusal,omitzero"` // why it is not let in
	Advice    string        `json:"advice,omitzero"`
	Missing   []string      `json:"missing_headers,omitempty"` // with the refusal missing_header
	Similar   []string      `json:"similar_headers,omitempty"` // that the request has, and that may be meant
	Handshake string        `json:"handshake,omitzero"`
	Ignored   string        `json:"ignored,omitzero"`
	Invalid   string        `json:"invalid,omitzero"`
	Problem   string        `json:"problem,omitzero"`
	Events    []eventObject `json:"events"`
	Notes     []string      `json:"notes,omitempty"` // on what was read into the capture
}

type useObject struct {
	Check string `json:"check"`
	ID    string `json:"id"`
}

// An eventObject is what a request asks for.
type eventObject struct {
	Event   string       `json:"event"`
	Ticket  string       `json:"ticket"`
	Tenant  string       `json:"tenant"`
	Device  string       `json:"device,omitzero"`
	Target  string       `json:"target,omitzero"`
	Time    time.Time    `json:"time"`
	Arrival bool         `json:"dated_at_arrival"`
	Changes []itemChange `json:"changes"`
}

func checkObjectOf(source string, r ingest.Report, c *capture, hint clue) checkObject {
	o := checkObject{Source: source, Code: r.Code, Word: r.Word, Checks: orEmpty(r.Checks), Keys: []useObject{}, Delivery: r.Delivery, SignedAt: r.Timestamp.UTC(),
		Refusal: string(r.Refusal), Advice: advice[r.Refusal], Missing: hint.missing, Similar: hint.similar, Handshake: r.Handshake, Ignored: r.Ignored, Problem: r.Problem, Events: []eventObject{}, Notes: c.notes}
	for _, k := range r.Keys {
		o.Keys = append(o.Keys, useObject{k.Check, k.Key})
	}
	if r.Invalid != nil {
		o.Invalid = r.Invalid.Error()
	}
	for _, e := range r.Events {
		ev := eventObject{Event: e.Ref().String(), Ticket: e.Ticket, Tenant: e.Tenant, Device: e.Device, Target: string(e.Target), Time: e.Time.UTC(), Arrival: e.Arrival, Changes: changesOfEvent(e.Changes)}
		o.Events = append(o.Events, ev)
	}
	return o
}
