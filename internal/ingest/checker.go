package ingest

import (
	"reflect"
	"sync/atomic"

	"changerelay/internal/ingest/verify"
)

// A checker is the compiled checks of a source. While a source has the same
// checks, all rosters share one: a reload must not forget the keys of an issuer
// that is away at that moment.
type checker struct {
	*verify.Verifier
	config  verify.Config // that it is made of; it holds secrets
	rosters atomic.Int32  // that have it; the last one closes it
}

// newChecker compiles a source's checks, or takes over the ones that it had before.
func newChecker(s Source, was *sender) (k *checker, err error) {
	if s.Offline {
		k = &checker{Verifier: verify.Away()}
		k.rosters.Store(1)
		return k, nil
	}
	c := s.Checks
	if was != nil && reflect.DeepEqual(c, was.verifier.config) {
		was.verifier.rosters.Add(1)
		return was.verifier, nil
	}
	v, err := verify.New(c)
	if err != nil {
		return nil, err
	}
	k = &checker{Verifier: v, config: c}
	k.rosters.Store(1)
	return k, nil
}

// release is for a roster that ends.
func (k *checker) release() {
	if k.rosters.Add(-1) == 0 {
		k.Close()
	}
}
