package graphsim

import (
	"net/http"
	"strconv"
	"time"
)

// windowKey names one sliding window. App is empty for the whole tenant's.
type windowKey struct {
	tenant, app string
	writes      bool
}

// window remembers the newest calls. As many as the limit are enough: a call is over the limit
// when the one that came limit places before it is still inside the window.
type window struct{ at []time.Time }

// take counts a call, refused or not, and says how long to stay away; 0 means go ahead.
func (w *window) take(now time.Time, span time.Duration, limit int) time.Duration {
	if limit <= 0 {
		w.at = nil
		return 0
	}
	w.at = append(w.at, now)
	n := len(w.at)
	if n <= limit {
		return 0
	}
	over := now.Sub(w.at[n-1-limit]) < span
	wait := span - now.Sub(w.at[n-limit])
	if n > 2*limit {
		w.at = append(w.at[:0], w.at[n-limit:]...)
	}
	if !over {
		return 0
	}
	return max(wait, time.Nanosecond)
}

// throttle counts a call in every window it belongs to, and returns the longest wait. All of
// them count even if the first refuses: calls that were throttled use up quota too.
func (s *Sim) throttle(tenant, app string, write bool, now time.Time) time.Duration {
	k := s.knobs
	wait := max(s.count(windowKey{tenant: tenant, app: app}, now, k.AnyLimitApp),
		s.count(windowKey{tenant: tenant}, now, k.AnyLimitTenant))
	if write {
		wait = max(wait,
			s.count(windowKey{tenant, app, true}, now, k.PostLimitApp),
			s.count(windowKey{tenant, "", true}, now, k.PostLimitTenant))
	}
	return wait
}

func (s *Sim) count(k windowKey, now time.Time, limit int) time.Duration {
	w := s.windows[k]
	if w == nil {
		w = &window{}
		s.windows[k] = w
	}
	return w.take(now, s.knobs.Window, limit)
}

// retryAfter says the wait the way the knob wants it; "" means that the header is missing.
func (k Knobs) retryAfter(wait time.Duration, now time.Time) string {
	wait = (wait + time.Second - 1).Truncate(time.Second)
	switch k.RetryAfter {
	case "absent":
		return ""
	case "huge":
		return strconv.Itoa(hugeRetryAfter)
	case "date":
		// A date has no fractions: one second more, or the caller would come too early.
		return now.Add(wait + time.Second).UTC().Format(http.TimeFormat)
	}
	return strconv.Itoa(int(wait / time.Second))
}
