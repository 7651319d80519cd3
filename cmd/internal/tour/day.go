package main

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"
)

// A day is what happens on the stage, told to out.
type day struct {
	s     *stage
	out   io.Writer
	short bool
	began time.Time

	mu   sync.Mutex
	urls []string // of every ticket that was taken
	lost error    // why the desk gave up
}

// say tells what happens.
func (d *day) say(format string, v ...any) {
	fmt.Fprintf(d.out, "%3.0f s  %s\n", time.Since(d.began).Seconds(), fmt.Sprintf(format, v...))
}

// rest lets the day go on: a while of a long one is a moment of a short one.
func (d *day) rest(ctx context.Context, long time.Duration) {
	if d.short {
		long /= 8
	}
	select {
	case <-ctx.Done():
	case <-time.After(long):
	}
}

// play goes through the day, and at its end wants an outcome for every ticket.
func (d *day) play(ctx context.Context) error {
	work, home := context.WithCancel(ctx)
	defer home()
	var desk sync.WaitGroup
	desk.Go(func() { d.desk(work) })
	for _, step := range []func(context.Context) error{
		d.morning, d.strangers, d.lapsed, d.throttled, d.mended, d.refused, d.edited, d.lostReply, d.killed, d.restarted,
	} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	home()
	desk.Wait()
	return d.evening(ctx)
}

// desk sends tickets for phones of acme and globex until ctx ends.
func (d *day) desk(ctx context.Context) {
	for n := 0; ctx.Err() == nil; n++ {
		t := ticket{number: fmt.Sprintf("CHG%07d", 50000+n), tenant: "acme", device: device(acme, rand.IntN(usual))}
		if n%4 == 0 {
			t.tenant, t.device = "globex", device(globex, rand.IntN(usual))
		}
		if it := app(rand.IntN(8)); n%3 == 0 {
			t.restore = []string{it}
		} else {
			t.remove = []string{it}
		}
		if err := d.send(ctx, t); err != nil && ctx.Err() == nil {
			d.mu.Lock()
			d.lost = err
			d.mu.Unlock()
			return
		}
		pause(ctx, time.Duration(100+rand.IntN(200))*time.Millisecond)
	}
}

func pause(ctx context.Context, t time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(t):
	}
}

// send sends a ticket of the desk and remembers it.
func (d *day) send(ctx context.Context, t ticket) error {
	body, err := t.event(time.Now())
	if err != nil {
		return err
	}
	url, err := d.s.send(context.WithoutCancel(ctx), letter{"desk", d.s.secrets["desk"], body})
	if err == nil {
		d.keep(url)
	}
	return err
}

func (d *day) keep(url string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.urls = append(d.urls, url)
}

func (d *day) taken() (n int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.urls)
}

// evening waits for the last outcomes.
func (d *day) evening(ctx context.Context) error {
	if d.lost != nil {
		return d.lost
	}
	d.say("The desk goes home. %d tickets were taken; each shall have its outcome.", len(d.urls))
	words := map[string]int{}
	for _, url := range d.urls {
		word, err := d.outcome(ctx, url)
		if err != nil {
			return err
		}
		words[word]++
	}
	d.say("They have: %v.", words)
	return nil
}

// outcome waits for the end of the ticket at the URL.
func (d *day) outcome(ctx context.Context, url string) (word string, err error) {
	err = d.s.wait(ctx, "the outcome of "+url, outcomeWithin, func() bool {
		var a answer
		if code, _ := d.s.call(ctx, http.MethodGet, url, nil, nil, &a); code == http.StatusOK {
			word = a.Outcome
		}
		return word != ""
	})
	return word, err
}
