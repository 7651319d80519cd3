package broker

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// A Final error is not tried again.
type Final struct{ Err error }

func (f Final) Error() string { return f.Err.Error() }
func (f Final) Unwrap() error { return f.Err }

// Lost reports whether err says that a key has changed since the revision that
// was to be written over. It is one error on a single node and mostly the other on
// a cluster: there another write of the key may be under way.
func Lost(err error) bool {
	var api *jetstream.APIError
	if !errors.As(err, &api) {
		return false
	}
	switch api.ErrorCode {
	case jetstream.JSErrCodeStreamWrongLastSequence, jetstream.JSErrCodeStreamWrongLastSequenceConstant:
		return true
	}
	return false
}

// Persist repeats a try that lost a swap, for as long as ctx allows, and one that
// the broker did not answer, a few times, or for as long as ctx allows if it has
// a deadline: a request to a leader that has just died is never answered, and the
// next one finds the new leader.
func Persist(ctx context.Context, try func() error) error {
	for lost, failed := 0, 0; ; {
		err := try()
		if f := (Final{}); errors.As(err, &f) {
			return f.Err
		}
		switch {
		case err == nil:
			return nil
		case Lost(err):
			lost++
		default:
			failed++
		}
		if _, bounded := ctx.Deadline(); !bounded && failed >= Tries {
			return err
		}
		pause := min(swapPause<<min(lost, 10), swapSlow) + time.Duration(failed)*tryPause
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w; last: %w", ctx.Err(), err)
		case <-time.After(rand.N(2 * pause)): // #nosec G404 -- it spreads load, and keeps nothing secret
		}
	}
}
