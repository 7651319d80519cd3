package main

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"changerelay/cmd/internal/boot"
	"changerelay/internal/events"
	"changerelay/internal/ingest"
	"changerelay/internal/ingest/verify"
)

// check holds a request against the configuration here, as the relay would against
// its own: the tenants, what the source may ask for, and what a worker would give
// up later. The relay's configuration may be newer; then there is --force.
func (s *send) check(c *boot.Config, name, path string, header http.Header, body []byte, list []events.Event) error {
	const anyway = "; if the relay's configuration has it otherwise, add --force"
	for _, e := range list {
		if err := known(c, s.Config, e.Tenant); err != nil {
			return fmt.Errorf("%s: %w%s", s.field("data.tenant"), err, anyway)
		}
		if e.RestoresAll() && !c.Tenants[e.Tenant].RestoreAll {
			return fmt.Errorf("%s: tenant %s does not allow to restore everything: set tenants.%s.restore_all in %s%s",
				s.field("data.changes[0].intent"), e.Tenant, e.Tenant, s.Config, anyway)
		}
	}
	src, err := c.IngestSource(name)
	if err != nil {
		return err
	}
	u, err := url.Parse(s.URL)
	if err != nil {
		return err
	}
	r, err := ingest.Examine(src, c.TenantNames(), verify.Request{Method: http.MethodPost, Authority: u.Host, Path: path, Header: header, Body: body}, time.Now())
	switch {
	case err != nil:
		return err
	case r.Refusal != "":
		return fmt.Errorf("source %s in %s would refuse it: %s: %s%s", name, s.Config, r.Refusal, advice[r.Refusal], anyway)
	case r.Invalid != nil:
		return fmt.Errorf("%s: %s%s", s.field(r.Invalid.Field), r.Invalid.Reason, anyway)
	case r.Problem != "":
		return fmt.Errorf("%s (sources.%s in %s)%s", r.Problem, name, s.Config, anyway)
	}
	return nil
}

// field is where an event's field comes from: a flag, or the file.
func (s *send) field(name string) string {
	switch {
	case s.File != "":
		return s.File + ": " + name
	case s.RestoreAll && strings.HasPrefix(name, "data.changes"):
		return "--restore-all" // it has no other change
	}
	return flagOf(name)
}
