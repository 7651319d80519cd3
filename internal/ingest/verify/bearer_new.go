package verify

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"time"

	"github.com/MicahParks/keyfunc/v3"
)

// MaxLeeway is what clocks may be said to differ; more would keep tokens good
// that an issuer meant to end.
const MaxLeeway = 300 * time.Second

// tokenAlgorithms are those of RFC 7518 and 8037 whose verifier cannot sign.
var tokenAlgorithms = []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"}

// newBearer compiles a Bearer. It returns before the keys are there: an issuer
// that is away must not keep the relay from starting.
func newBearer(b Bearer) (check, error) {
	if b.Algorithms == nil {
		b.Algorithms = []string{"RS256"}
	}
	if b.Leeway == 0 {
		b.Leeway = DefaultLeeway
	}
	if err := b.check(); err != nil {
		return nil, err
	}
	set, stop := keySet(nil), func() {}
	if b.JWKSURL != "" {
		f := newFetcher(b.JWKSURL, b.Client)
		set, stop = f, f.close
	} else {
		fixed, err := newFixed(b.JWKS)
		if err != nil {
			return nil, fmt.Errorf("jwks: %w", err)
		}
		set = fixed
	}
	keys, err := keyfunc.New(keyfunc.Options{Storage: set})
	if err != nil {
		stop()
		return nil, fmt.Errorf("jwks: %w", err)
	}
	return &bearer{b, keys, stop}, nil
}

// check refuses what would let in more than the administrator knows.
func (b Bearer) check() error {
	var errs []error
	refuse := func(bad bool, format string, args ...any) {
		if bad {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	refuse(b.Issuer == "", "issuer: is empty; want the iss of the tokens, such as https://login.microsoftonline.com/<tenant>/v2.0")
	refuse(!filled(b.Audiences), "audiences: want one or more, none of them empty: a token for somebody else must not do")
	refuse(!filled(b.Clients), "clients: want one or more, none of them empty or twice: else any application of the tenant could send")
	refuse(b.Roles != nil && !filled(b.Roles), "roles: want one or more, none of them empty, or leave it out")
	refuse(!filled(b.Algorithms), "algorithms: want one or more, or leave it out for RS256")
	for i, a := range b.Algorithms {
		refuse(!slices.Contains(tokenAlgorithms, a), "algorithms[%d]: %q is not one of %v", i, a, tokenAlgorithms)
	}
	refuse(b.Leeway < 0 || b.Leeway > MaxLeeway, "leeway: %v is not within 0 to %v", b.Leeway, MaxLeeway)
	refuse((b.JWKSURL == "") == (len(b.JWKS) == 0), "jwks_url: want it, or jwks, and not both")
	refuse(b.JWKSURL != "" && !isHTTPS(b.JWKSURL), "jwks_url: want an https address without a user's name, such as https://login.microsoftonline.com/<tenant>/discovery/v2.0/keys")
	return errors.Join(errs...)
}

// filled reports whether a list has entries, none of them empty or twice.
func filled(list []string) bool {
	for i, s := range list {
		if s == "" || slices.Contains(list[:i], s) {
			return false
		}
	}
	return len(list) > 0
}

func isHTTPS(address string) bool {
	u, err := url.Parse(address)
	return err == nil && u.Scheme == "https" && u.Host != "" && u.User == nil && u.Fragment == ""
}
