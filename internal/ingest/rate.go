package ingest

import (
	"cmp"
	"fmt"
	"math"
	"strconv"
	"time"

	"golang.org/x/time/rate"
)

// check refuses what is no rate. A burst of 0 is one second's worth.
func (r Rate) check(field string) error {
	switch {
	case math.IsNaN(r.PerSecond) || math.IsInf(r.PerSecond, 0):
		return fmt.Errorf("%s.per_second: want a number; a negative one is no limit", field)
	case r.Burst < 0 || r.PerSecond == 0 && r.Burst != 0:
		return fmt.Errorf("%s: want per_second, and at least 0 as burst", field)
	}
	return nil
}

// limiter makes the limiter of a rate, or of usual if the rate is zero.
func (r Rate) limiter(usual Rate) *rate.Limiter {
	r = cmp.Or(r, usual)
	if r.PerSecond < 0 {
		return rate.NewLimiter(rate.Inf, 0)
	}
	if r.Burst == 0 {
		r.Burst = max(1, int(min(r.PerSecond, math.MaxInt32)))
	}
	return rate.NewLimiter(rate.Limit(r.PerSecond), r.Burst)
}

// limited is the error of a request over a rate.
type limited struct{ wait time.Duration }

func (l *limited) Error() string { return "too many requests arrive" }

// take counts a request.
func take(l *rate.Limiter, now time.Time) error {
	if l.AllowN(now, 1) {
		return nil
	}
	return over(l, now)
}

// look is take without counting: whether a request costs something is known
// when it is done. The limiter may then owe for those that came at once.
func look(l *rate.Limiter, now time.Time) error {
	if l.Limit() == rate.Inf || l.TokensAt(now) >= 1 {
		return nil
	}
	return over(l, now)
}

// spend counts a request that was looked at, in its source's rate: one that
// brought something. Repetitions cost nothing there, or whoever has captured a
// request could keep its sender out with it.
func (x *exchange) spend() { x.sender.requests.ReserveN(x.now, 1) }

func over(l *rate.Limiter, now time.Time) *limited {
	lacking := max(0, 1-l.TokensAt(now))
	return &limited{time.Duration(min(lacking/float64(l.Limit()), MaxRetryAfter.Seconds()) * float64(time.Second))}
}

// retryAfter is the wait in whole seconds, from 1 to MaxRetryAfter.
func (l *limited) retryAfter() string {
	seconds := math.Ceil(min(max(l.wait, time.Second), MaxRetryAfter).Seconds())
	return strconv.Itoa(int(seconds))
}
