package ingest

import (
	"errors"
	"fmt"
	"strings"

	"changerelay/internal/ingest/source"
	"changerelay/internal/ingest/verify"
	"changerelay/internal/metrics"
)

// A sender is a configured source, compiled.
type sender struct {
	name     string
	verifier *verify.Verifier
	decoder  source.Decoder
	tenants  []string
}

// unknownSource is the reason for the log when nobody is configured to be asked.
const unknownSource verify.Reason = "unknown_source"

// Refusals lists the reason words of 401 answers, for metrics.
func Refusals() []string {
	words := []string{string(unknownSource)}
	for _, r := range verify.Reasons {
		words = append(words, string(r))
	}
	return words
}

// addSources compiles every source, and reports all that is wrong at once.
func (s *Server) addSources(c Config) error {
	for _, t := range c.Tenants {
		s.tenants[t] = true
	}
	var errs []error
	secrets := map[string]string{} // of cloudevents sources, to their names
	for _, conf := range c.Sources {
		snd, err := s.newSender(conf)
		if err == nil && s.sources[conf.Name] != nil {
			err = errors.New("name: another source has it")
		}
		if err == nil && conf.Kind == "cloudevents" {
			err = claim(secrets, conf)
			s.open = append(s.open, snd)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("source %q: %w", conf.Name, err))
			continue
		}
		s.sources[conf.Name] = snd
	}
	return errors.Join(errs...)
}

func (s *Server) newSender(c Source) (*sender, error) {
	if !isName(c.Name) || c.Name == metrics.Unknown {
		return nil, fmt.Errorf("name: want 1 to 63 of a-z, 0-9 and -, and not %q", metrics.Unknown)
	}
	if err := s.checkTenants(c); err != nil {
		return nil, err
	}
	decoder, err := source.New(c.Kind, source.Config{Name: c.Name, Tenant: c.Tenants[0], Fields: c.Fields})
	if err != nil {
		return nil, err
	}
	if c.Scheme == (verify.Scheme{}) {
		c.Scheme = verify.Usual(c.Kind)
	}
	verifier, err := verify.New(c.Scheme, c.Secrets)
	if err != nil {
		return nil, err
	}
	return &sender{name: c.Name, verifier: verifier, decoder: decoder, tenants: c.Tenants}, nil
}

func (s *Server) checkTenants(c Source) error {
	switch {
	case len(c.Tenants) == 0:
		return errors.New("tenants: there is none it may speak for")
	case c.Kind == "servicenow" && (len(c.Tenants) != 1 || c.Tenants[0] == "*"):
		return errors.New("tenants: a servicenow source has exactly one: its records do not name any")
	}
	for _, t := range c.Tenants {
		if t != "*" && !s.tenants[t] {
			return fmt.Errorf("tenants: %q is not configured", t)
		}
	}
	return nil
}

// claim refuses a secret that two sources of /v1/changes share: who signed with
// it would be anybody's guess.
func claim(secrets map[string]string, c Source) error {
	for i, secret := range c.Secrets {
		secret = strings.TrimPrefix(secret, "whsec_")
		if other, taken := secrets[secret]; taken && other != c.Name {
			return fmt.Errorf("secrets[%d]: source %q has it too", i, other)
		}
		secrets[secret] = c.Name
	}
	return nil
}

func isName(s string) bool {
	return s != "" && len(s) <= 63 && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789-") == ""
}
