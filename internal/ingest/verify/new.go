package verify

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// New compiles the checks of a source. Its errors name the check and the field,
// such as signature.keys[0].secret, and never hold a secret. Close the Verifier
// when it is not needed any more.
func New(c Config) (*Verifier, error) {
	v := &Verifier{}
	err := errors.Join(
		add(v, "signature", c.Signature, unpublished),
		add(v, "http_signature", c.HTTPSignature, newHTTPSignature),
		add(v, "sns", c.SNS, newSNS),
		add(v, "bearer", c.Bearer, newBearer),
		add(v, "header", c.Header, func(c Header) (check, error) { return newHeader(c, MinSecret) }),
		add(v, "basic", c.Basic, func(c Basic) (check, error) { return newBasic(c, MinSecret) }),
		add(v, "certificate", c.Certificate, newCertificate),
		add(v, "client_state", c.ClientState, func(c ClientState) (check, error) { return newClientState(c, MinSecret) }),
	)
	if err = errors.Join(err, c.check()); err != nil {
		v.Close()
		return nil, err
	}
	return v, nil
}

// check refuses checks that nothing or nobody could pass.
func (c Config) check() error {
	var authorization []string
	for name, reads := range map[string]bool{
		"bearer": c.Bearer != nil,
		"basic":  c.Basic != nil,
		"header": c.Header != nil && strings.EqualFold(c.Header.Name, "Authorization"),
	} {
		if reads {
			authorization = append(authorization, name)
		}
	}
	slices.Sort(authorization)
	switch {
	case c == Config{}:
		return errors.New("there is no check, and nothing is accepted unverified")
	case len(authorization) > 1:
		return fmt.Errorf("%s: all read the header Authorization, and no request could pass; keep one", strings.Join(authorization, ", "))
	}
	return nil
}

// add compiles a check that is configured.
func add[C any](v *Verifier, name string, c *C, compile func(C) (check, error)) error {
	if c == nil {
		return nil
	}
	k, err := compile(*c)
	if err != nil {
		return within(name, err)
	}
	v.checks = append(v.checks, k)
	return nil
}

// within puts the check's name before each error.
func within(name string, err error) error {
	list, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return fmt.Errorf("%s.%w", name, err)
	}
	var errs []error
	for _, err := range list.Unwrap() {
		errs = append(errs, within(name, err))
	}
	return errors.Join(errs...)
}
