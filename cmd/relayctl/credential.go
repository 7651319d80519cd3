package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"changerelay/internal/ingest/verify"
)

// sign returns the headers of a request that passes a source's checks, or says
// which of them cannot be passed from here.
func sign(c verify.Config, now time.Time, body []byte) (http.Header, error) {
	h := http.Header{}
	var errs []error
	for name, there := range map[string]bool{
		"http_signature": c.HTTPSignature != nil, "sns": c.SNS != nil, "bearer": c.Bearer != nil, "certificate": c.Certificate != nil,
	} {
		if there {
			errs = append(errs, fmt.Errorf("%s: only the sender has what it takes to pass this check; name another --source", name))
		}
	}
	if s := c.Signature; s != nil {
		secret, err := secretNow("secrets", s.Keys, now)
		if err == nil {
			var signed http.Header
			signed, err = verify.Sign(s.Scheme, secret, strings.ToLower(rand.Text()), now, body)
			maps.Copy(h, signed)
		}
		errs = append(errs, err)
	}
	if s := c.Header; s != nil {
		secret, err := secretNow("header.secrets", s.Keys, now)
		h[http.CanonicalHeaderKey(s.Name)] = []string{s.Prefix + secret}
		errs = append(errs, err)
	}
	if s := c.Basic; s != nil {
		password, err := secretNow("basic.secrets", s.Keys, now)
		(&http.Request{Header: h}).SetBasicAuth(s.User, password)
		errs = append(errs, err)
	}
	return h, errors.Join(errs...)
}

// secretNow is the first secret that is good.
func secretNow(field string, keys []verify.Key, now time.Time) (string, error) {
	i := slices.IndexFunc(keys, func(k verify.Key) bool { return active(k, now) })
	if i < 0 {
		return "", fmt.Errorf("%s: none is good now; relayctl source list says when they are", field)
	}
	return keys[i].Secret, nil
}
