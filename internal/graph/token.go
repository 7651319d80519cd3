package graph

import (
	"context"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/singleflight"
)

// A token is Entra's, with the two times that matter to us.
type token struct {
	value   string
	expires time.Time // Entra's word
	refresh time.Time // from here on a new one is fetched in the background
	end     time.Time // from here on it is not used
	claimed bool      // it was made for a challenge
}

// newToken sets the times. A token may live so shortly that the usual margins
// would have it refreshed, or refused, from the start.
func newToken(value string, now, expires, hint time.Time) token {
	life := max(expires.Sub(now), 0)
	t := token{value: value, expires: expires}
	t.end = expires.Add(-min(tokenMargin, life/4))
	t.refresh = expires.Add(-min(tokenRefresh, life/2))
	if hint.After(now) && hint.Before(t.refresh) {
		t.refresh = hint
	}
	return t
}

// tokens holds the last token and lets one request for the next be in flight.
type tokens struct {
	fetch func(ctx context.Context, claims string) (token, *Error) // runs once at a time
	now   func() time.Time
	group singleflight.Group
	watch atomic.Pointer[func(Kind, time.Duration)] // of OnToken

	mu    sync.Mutex // guards the rest
	last  token
	fails int       // requests that failed in a row
	until time.Time // none is made before
	why   *Error    // what the last one came to, or what Graph said of its token
}

// get returns a token, and not the stale one, which Graph has turned down, and
// one that was made for a challenge if there are claims.
// A caller that has to wait leaves when its own context ends; the request
// belongs to nobody and goes on for the others.
func (s *tokens) get(ctx context.Context, stale, claims string) (string, error) {
	for again := false; ; again = true {
		value, due, err := s.look(stale, claims)
		if !due {
			return value, err
		}
		flight := s.group.DoChan("", func() (any, error) { return s.renew(stale, claims) })
		if value != "" {
			return value, nil // still good: the request runs in the background
		}
		select {
		case r := <-flight:
			// A shared request may have been for another's sake: look once more.
			if r.Err != nil {
				return "", r.Err
			}
			if again || !r.Shared {
				return r.Val.(string), nil
			}
		case <-ctx.Done():
			return "", &Error{Op: opToken, Kind: Unavailable, Err: ctx.Err()}
		}
	}
}

// look is the whole decision: a token to use, whether to request another, or
// why there is neither.
func (s *tokens) look(stale, claims string) (value string, due bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	held := now.Before(s.until)
	if s.last.value != "" && s.last.value != stale && now.Before(s.last.end) && (claims == "" || s.last.claimed) {
		return s.last.value, !held && !now.Before(s.last.refresh), nil
	}
	if held {
		e := *s.why
		e.RetryAfter = s.until.Sub(now)
		return "", false, &e
	}
	return "", true, nil
}

// renew requests a token, unless one came while this call was on its way here.
func (s *tokens) renew(stale, claims string) (string, error) {
	if value, due, err := s.look(stale, claims); !due {
		return value, err
	}
	// No caller's context: MSAL resolves endpoints with that of the first, and
	// would fail everybody when the first one leaves.
	ctx, cancel := context.WithTimeout(context.Background(), tokenTimeout)
	defer cancel()
	began := time.Now()
	t, failure := s.fetch(ctx, claims)
	s.tell(failure, time.Since(began))
	s.mu.Lock()
	defer s.mu.Unlock()
	if failure != nil {
		s.delay(failure)
		return "", failure
	}
	t.claimed = claims != ""
	s.last, s.fails, s.until, s.why = t, 0, time.Time{}, nil
	return t.value, nil
}

// tell lets whoever watches know what came of a request.
func (s *tokens) tell(failure *Error, took time.Duration) {
	watch, kind := s.watch.Load(), Kind("")
	if failure != nil {
		kind = failure.Kind
	}
	if watch != nil {
		(*watch)(kind, took)
	}
}

// hold makes the next request wait a moment: Graph turned down a new token.
func (s *tokens) hold() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.delay(&Error{Op: opToken, Kind: Denied, Message: "Graph turns new tokens down"})
}

// delay backs off, with jitter, so that replicas do not come back together.
// It is called with mu held.
func (s *tokens) delay(why *Error) {
	wait := min(backoffFirst<<min(s.fails, 10), backoffMost)
	wait = wait/2 + rand.N(wait/2) // #nosec G404 -- it spreads load, and keeps nothing secret
	s.fails++
	s.until = s.now().Add(max(wait, why.RetryAfter))
	s.why = why
}

// forget drops the token, and what kept the next one back.
func (s *tokens) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last, s.fails, s.until, s.why = token{}, 0, time.Time{}, nil
}
