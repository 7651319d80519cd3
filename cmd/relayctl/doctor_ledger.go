package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"changerelay/internal/events"
	"changerelay/internal/ledger"
	"changerelay/internal/stream"
)

// Of the ledger's bucket as the broker sees it.
const (
	ledgerStream  = "KV_" + ledger.Bucket
	ledgerSubject = "$KV." + ledger.Bucket + "."
)

// A round is a look at the devices' documents.
type round struct {
	b       *broker
	docs    *ledger.Store
	kv      jetstream.KeyValue
	streams *stream.Streams

	looked, all int
	asleep      []events.Address // due, and with no wake-up
	folding     bool             // events are on their way into the ledger
	clock       []stream.Finding
	unread      []stream.Finding
}

// checkLedger looks for devices that are due and that nobody wakes, and for
// workers whose clocks are ahead of the broker's: in some documents, or in all.
func (d *doctor) checkLedger(ctx context.Context, b *broker) []stream.Finding {
	within := askWithin
	if d.Deep {
		within = deepWithin
	}
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	r := &round{b: b}
	if err := r.open(ctx); err != nil {
		if errors.Is(err, jetstream.ErrBucketNotFound) {
			return nil // the broker's part says so
		}
		return []stream.Finding{finding(stream.Note, "devices", "their documents were not looked at: %v", err)}
	}
	err := r.walk(ctx, d.Deep)
	fs := slices.Concat(r.unread, r.clock, r.verdict())
	if err != nil {
		fs = append(fs, finding(stream.Note, "devices", "%d of %d documents were looked at: %v", r.looked, r.all, err))
	}
	return fs
}

func (r *round) open(ctx context.Context) (err error) {
	if r.kv, err = r.b.js.KeyValue(ctx, ledger.Bucket); err != nil {
		return err
	}
	if r.docs, err = r.b.ledger(ctx); err != nil {
		return err
	}
	r.streams, err = r.b.streams(ctx)
	return err
}

// walk looks at documents, and a moment later once more at those that seem to be
// forgotten: a worker writes the document first, and then the wake-up.
func (r *round) walk(ctx context.Context, deep bool) error {
	keys, err := r.keys(ctx)
	if err != nil {
		return err
	}
	r.all = len(keys)
	if !deep && len(keys) > sampleDocs {
		rand.Shuffle(len(keys), func(i, j int) { keys[i], keys[j] = keys[j], keys[i] })
		keys = keys[:sampleDocs]
	}
	var due []events.Address
	for _, key := range keys {
		isDue, err := r.read(ctx, key)
		if err != nil {
			return err
		}
		if a, err := events.ParseAddress(key); err == nil && isDue {
			due = append(due, a)
		}
		r.looked++
	}
	return r.wakeless(ctx, due)
}

func (r *round) keys(ctx context.Context) ([]string, error) {
	st, err := r.b.js.Stream(ctx, ledgerStream)
	if err != nil {
		return nil, err
	}
	info, err := st.Info(ctx, jetstream.WithSubjectFilter(ledgerSubject+">"))
	if err != nil {
		return nil, err
	}
	var keys []string
	for _, subject := range slices.Sorted(maps.Keys(info.State.Subjects)) {
		keys = append(keys, strings.TrimPrefix(subject, ledgerSubject))
	}
	return keys, nil
}

// read looks at one document. One that cannot be read is a finding of its own: no
// worker can read it either.
func (r *round) read(ctx context.Context, key string) (due bool, err error) {
	e, err := r.kv.Get(ctx, key)
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	a, err := events.ParseAddress(key)
	if err != nil {
		r.unread = append(r.unread, finding(stream.Note, "ledger "+key, "is no device's document; whose is it?"))
		return false, nil
	}
	d, err := r.docs.Get(ctx, a)
	if ctx.Err() != nil {
		return false, ctx.Err()
	}
	if err != nil {
		r.unread = append(r.unread, stream.Finding{Level: stream.Bad, What: "device " + key, Detail: err.Error(), Remedy: "run workers that know this form; then relayctl device " + strings.Replace(key, ".", " ", 1)})
		return false, nil
	}
	if at := newestOf(d); len(r.clock) == 0 && at.Sub(e.Created()) > stream.ClockSkew {
		r.clock = append(r.clock, stream.Finding{Level: stream.Bad, What: "worker clock", Detail: fmt.Sprintf("a worker that wrote %s was %s ahead of the broker", key, at.Sub(e.Created()).Round(time.Second)), Remedy: "run NTP on both"})
	}
	return d.Due(), nil
}

// newestOf is the newest time by a worker's clock that is of something that has
// happened.
func newestOf(d ledger.Device) time.Time {
	at := d.View.At
	for _, t := range []time.Time{d.Called, begun(d.Attempt)} {
		if t.After(at) {
			at = t
		}
	}
	return at
}

func begun(a *ledger.Attempt) time.Time {
	if a == nil {
		return time.Time{}
	}
	return a.Begun
}
