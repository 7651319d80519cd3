package stream

import (
	"context"
	"errors"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
)

// A deniedError reports that the broker's user has not the permission to ask.
type deniedError struct{ verb, subject string }

func (e *deniedError) Error() string { return "no permission to " + e.verb + " " + e.subject }

func (e *deniedError) remedy() string {
	return "allow the user to " + e.verb + " " + e.subject + ", or run this as one who may"
}

// denials are the broker's words on what its user may not do. They come apart
// from the question, which is simply never answered.
type denials struct {
	nc   *nats.Conn
	prev nats.ErrHandler

	mu   sync.Mutex
	deaf error                                // answers cannot be received
	ends map[string][]context.CancelCauseFunc // of questions, by subject
}

// violation is nats-server's text, which nats.go has no type for.
var violation = regexp.MustCompile(`(?i)permissions violation for (publish|subscription) to "([^"]+)"`)

// refusals is how long the broker has for the last ones.
const refusals = time.Second

// listen hears them until stop. The connection's own handler hears the rest.
func listen(nc *nats.Conn) *denials {
	d := &denials{nc: nc, prev: nc.ErrorHandler(), ends: map[string][]context.CancelCauseFunc{}}
	nc.SetErrorHandler(func(nc *nats.Conn, sub *nats.Subscription, err error) {
		m := violation.FindStringSubmatch(err.Error())
		if (m == nil || !d.hear(m[1], m[2])) && d.prev != nil {
			d.prev(nc, sub, err)
		}
	})
	return d
}

// stop gives the connection's own handler back when what was asked is refused,
// if it is: an exam that is cut short leaves questions behind, and their refusals
// are nobody's trouble.
func (d *denials) stop() {
	_ = d.nc.FlushTimeout(refusals) // without a connection there is none to come
	d.nc.SetErrorHandler(d.prev)
}

// hear ends the questions that it is about, if any: all of them, and those to
// come, if the answers cannot be received.
func (d *denials) hear(what, subject string) (ours bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if strings.EqualFold(what, "publish") {
		for _, end := range d.ends[subject] {
			end(&deniedError{"publish to", subject})
		}
		return d.ends[subject] != nil
	}
	d.deaf = &deniedError{"subscribe to", "_INBOX.>"} // inboxes have names of their own
	for _, ends := range d.ends {
		for _, end := range ends {
			end(d.deaf)
		}
	}
	return true
}

// watch has end called when the subject turns out to be denied.
func (d *denials) watch(subject string, end context.CancelCauseFunc) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.deaf != nil {
		end(d.deaf)
	}
	d.ends[subject] = append(d.ends[subject], end)
}

// ask puts a question to the broker: on a timeout once more, for one sent to a
// leader that has just gone is never answered.
func (x *exam) ask(ctx context.Context, subject string, question func(context.Context) error) (err error) {
	for range askTries {
		if err = x.askOnce(ctx, subject, question); !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, nats.ErrTimeout) {
			return err
		}
	}
	return err
}

func (x *exam) askOnce(ctx context.Context, subject string, question func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, ReadTry)
	defer cancel()
	ctx, end := context.WithCancelCause(ctx)
	defer end(nil)
	x.denials.watch(subject, end)
	err := question(ctx)
	if d := (*deniedError)(nil); err != nil && errors.As(context.Cause(ctx), &d) {
		return d
	}
	return err
}
