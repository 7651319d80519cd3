package graph

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func hourly(value string, now time.Time) token {
	return newToken(value, now, now.Add(time.Hour), time.Time{})
}

// A token endpoint that does not answer is given up after tokenTimeout, by us:
// no caller's context ends the request, and MSAL's own limit is longer.
func TestTokenRequestEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &tokens{now: time.Now, fetch: func(ctx context.Context, _ string) (token, *Error) {
			<-ctx.Done()
			return token{}, &Error{Op: opToken, Kind: Unavailable, Err: ctx.Err()}
		}}
		began := time.Now()
		if _, err := s.get(t.Context(), "", ""); err == nil || time.Since(began) != tokenTimeout {
			t.Errorf("%v after %v, want an error after %v", err, time.Since(began), tokenTimeout)
		}
	})
}

// A token endpoint that takes five seconds keeps nobody waiting who has a token.
func TestSlowTokenEndpoint(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		asked := 0
		s := &tokens{now: time.Now, fetch: func(context.Context, string) (token, *Error) {
			asked++
			time.Sleep(5 * time.Second) // of the bubble's time
			return hourly("t", time.Now()), nil
		}}
		if _, err := s.get(t.Context(), "", ""); err != nil {
			t.Fatal(err)
		}
		time.Sleep(56 * time.Minute)
		began := time.Now()
		var all sync.WaitGroup
		for range 200 {
			all.Go(func() {
				if v, err := s.get(t.Context(), "", ""); v != "t" || err != nil {
					t.Error(v, err)
				}
			})
		}
		all.Wait()
		took := time.Since(began)
		time.Sleep(6 * time.Second) // the request in the background ends
		synctest.Wait()
		if took != 0 || asked != 2 {
			t.Errorf("200 calls waited %v, and %d token requests were made; want 0s and 2", took, asked)
		}
	})
}

// Who joins a request that was made for another's sake does not get what it has
// just been told is no good.
func TestSharedRequestIsLookedAt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var claims []string
		s := &tokens{now: time.Now, fetch: func(_ context.Context, c string) (token, *Error) {
			claims = append(claims, c)
			time.Sleep(time.Second)
			return hourly(string(rune('a'+len(claims))), time.Now()), nil
		}}
		s.last = hourly("a", time.Now())
		time.Sleep(56 * time.Minute)
		if v, err := s.get(t.Context(), "", ""); v != "a" || err != nil { // begins a request without claims
			t.Fatal(v, err)
		}
		synctest.Wait()
		v, err := s.get(t.Context(), "a", "{}")
		if v != "c" || err != nil || len(claims) != 2 || claims[1] != "{}" {
			t.Errorf("%q, %v after requests with claims %q", v, err, claims)
		}
	})
}
