package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"time"
)

// A loader is many senders. Each event names an item that no other names, so that what
// became of it can be seen in the calls.
type loader struct {
	r *relay

	mu      sync.Mutex
	answers map[string]int   // how often each came
	kept    map[string]event // those that were answered 202 or 200, by their public id
	lost    []string         // events that nobody took
	wrong   []string         // answers that no sender should see
}

// A plan is what a load sends: so many events a second, at least so many in all, spread
// over devices by number.
type plan struct{ rate, first, devices, least int }

// load sends until its input ends, and then judges.
func load(ctx context.Context, r *relay, p plan) error {
	l := &loader{r: r, answers: map[string]int{}, kept: map[string]event{}}
	ended := make(chan struct{})
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		close(ended)
	}()
	sent, err := l.send(ctx, ended, p)
	if err != nil {
		return err
	}
	return l.judge(ctx, sent)
}

func (l *loader) send(ctx context.Context, ended <-chan struct{}, p plan) (sent int, err error) {
	ctx, stop := context.WithTimeout(ctx, 2*patience)
	defer stop()
	var all sync.WaitGroup
	tick := time.NewTicker(time.Second / time.Duration(p.rate))
	defer tick.Stop()
	for ; ; sent++ {
		<-tick.C
		select {
		case <-ended:
			if sent >= p.least {
				all.Wait()
				return sent, nil
			}
		default:
		}
		if sent == p.devices*itemsEach {
			return sent, fmt.Errorf("the devices are full after %d events: give it more", sent)
		}
		e, again := newEvent(p.first+sent%p.devices, sent/p.devices, "remove"), sent%10 == 0
		all.Go(func() { l.deliver(ctx, e, again) })
		if sent == 0 {
			fmt.Println("sending")
		}
	}
}

// deliver sends an event as a ticket system does: until it is told that it is stored. Some
// senders then send it once more.
func (l *loader) deliver(ctx context.Context, e event, again bool) {
	for {
		a, err := l.r.post(ctx, e)
		l.note(e, a, err)
		switch {
		case err == nil && a.code == http.StatusServiceUnavailable:
		case err == nil && !again:
			return
		case err == nil:
			again = false
			continue
		}
		if !pause(ctx, max(a.again, time.Second)) {
			l.mu.Lock()
			defer l.mu.Unlock()
			l.lost = append(l.lost, e.id)
			return
		}
	}
}

func (l *loader) note(e event, a answer, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case errors.Is(err, errIdle):
		l.answers["closed when idle"]++
		return
	case err != nil:
		l.answers["broken"]++
		l.wrong = append(l.wrong, err.Error())
		return
	case a.code == http.StatusAccepted, a.code == http.StatusOK && a.Duplicate:
		l.kept[a.ID] = e
	case a.code == http.StatusServiceUnavailable && a.again > 0:
	default:
		l.wrong = append(l.wrong, fmt.Sprintf("%d, Retry-After %s: %s", a.code, a.again, a.text))
	}
	l.answers[fmt.Sprint(a.code)]++
}

// judge waits for the outcomes, and prints one line. Its error says what is wrong.
func (l *loader) judge(ctx context.Context, sent int) error {
	ends, err := outcomes(ctx, l.kept)
	if err != nil {
		return err
	}
	calls, err := journal(ctx)
	if err != nil {
		return err
	}
	v := verdict(l.kept, ends, calls)
	fmt.Printf("%d events: %s; outcomes %s; %d calls with effect\n", sent, words(l.answers), words(v.words), v.effects)
	faults := append(v.faults, l.wrong...)
	if n := l.answers["closed when idle"]; n > 1+sent/idleEach {
		faults = append(faults, fmt.Sprintf("%d connections were closed when idle", n))
	}
	if len(l.lost) > 0 {
		faults = append(faults, fmt.Sprintf("%d events were never taken", len(l.lost)))
	}
	if len(faults) > 0 {
		return fmt.Errorf("%d faults, as: %s", len(faults), strings.Join(faults[:min(len(faults), 5)], "; "))
	}
	return nil
}

func words(m map[string]int) string {
	var list []string
	for _, k := range slices.Sorted(maps.Keys(m)) {
		list = append(list, fmt.Sprintf("%s %d", k, m[k]))
	}
	return strings.Join(list, ", ")
}
