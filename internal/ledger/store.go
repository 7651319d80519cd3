package ledger

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"changerelay/internal/events"
)

// Bucket is the key-value bucket of the documents; its keys are Address.String.
const Bucket = "ledger"

// Of the bucket as the broker sees it: its stream, and what stands before a key.
const (
	stream   = "KV_" + Bucket
	subjects = "$KV." + Bucket + "."
)

// Bounds of the compare-and-swap loop.
const (
	casPause = 2 * time.Millisecond   // about; first pause after a lost swap, doubled to
	casSlow  = 100 * time.Millisecond // about
	tryFor   = 2 * time.Second        // one read or one write; fsync on a busy R3 takes tens of milliseconds
	tries    = 6                      // without an answer; together they ride out a change of leader
	tryPause = 200 * time.Millisecond // about; added by each
)

// A Store keeps the documents in a JetStream key-value bucket.
//
// It needs of the bucket that a write conditional on a revision is refused when
// the document has changed since, and that a read is answered by the stream's
// leader. A replica's answer may be older than a write that was acknowledged,
// and a worker would find a device settled that is not.
type Store struct {
	kv     jetstream.KeyValue
	bucket jetstream.Stream // the stream below kv
}

// ErrNone reports that there is no ledger.
var ErrNone = errors.New("the broker has no ledger yet; the first worker makes it")

// Attach opens the bucket as it is, and declares nothing. Its error is ErrNone
// if there is no bucket.
func Attach(ctx context.Context, js jetstream.JetStream) (*Store, error) {
	kv, err := js.KeyValue(ctx, Bucket)
	if errors.Is(err, jetstream.ErrBucketNotFound) {
		return nil, ErrNone
	}
	if err != nil {
		return nil, fmt.Errorf("opening the ledger: %w", err)
	}
	bucket, err := js.Stream(ctx, stream)
	if err != nil {
		return nil, fmt.Errorf("opening the ledger: %w", err)
	}
	return &Store{kv, bucket}, nil
}

// Open declares the bucket with that many replicas and opens it. Of a bucket that
// exists it changes only what the ledger needs.
func Open(ctx context.Context, js jetstream.JetStream, replicas int) (*Store, error) {
	c := jetstream.StreamConfig{Name: stream}
	st, err := js.Stream(ctx, c.Name)
	switch {
	case err == nil:
		c = st.CachedInfo().Config
	case !errors.Is(err, jetstream.ErrStreamNotFound):
		return nil, fmt.Errorf("declaring the ledger: %w", err)
	}
	// Declared by hand because CreateKeyValue turns direct gets on.
	c.Description = "changerelay: one document a managed device"
	c.Subjects = []string{subjects + ">"}
	c.Storage, c.Replicas = jetstream.FileStorage, max(replicas, 1)
	c.MaxMsgsPerSubject, c.Discard = 1, jetstream.DiscardNew
	c.DenyDelete, c.AllowRollup, c.AllowDirect = true, true, false
	if err != nil || !reflect.DeepEqual(c, st.CachedInfo().Config) {
		if _, err := js.CreateOrUpdateStream(ctx, c); err != nil {
			return nil, fmt.Errorf("declaring the ledger: %w", err)
		}
	}
	return Attach(ctx, js)
}

// Get returns the device's document as the leader has it; the zero Device if
// there is none.
func (s *Store) Get(ctx context.Context, a events.Address) (Device, error) {
	return s.Hold(a).Get(ctx)
}

// Update is Held's for a document that nobody holds.
func (s *Store) Update(ctx context.Context, a events.Address, f func(Device) (Device, error)) (Device, error) {
	return s.Hold(a).Update(ctx, f)
}

func (s *Store) load(ctx context.Context, a events.Address) (version, error) {
	ctx, cancel := context.WithTimeout(ctx, tryFor)
	defer cancel()
	e, err := s.kv.Get(ctx, a.String())
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return version{}, nil
	}
	if err != nil {
		return version{}, fmt.Errorf("reading ledger %s: %w", a, err)
	}
	d, err := decode(e.Value())
	if err != nil {
		return version{}, final{fmt.Errorf("reading ledger %s: %w", a, err)}
	}
	return version{d, e.Value(), e.Revision()}, nil
}

// A final error is not tried again.
type final struct{ error }

func (f final) Unwrap() error { return f.error }

// persist repeats a try that lost a swap, for as long as ctx allows, and one that
// the broker did not answer, a few times, or for as long as ctx allows if it has
// a deadline: a request to a leader that has just
// died is never answered, and the next one finds the new leader.
func (s *Store) persist(ctx context.Context, try func() error) error {
	for lost, failed := 0, 0; ; {
		err := try()
		if f := (final{}); errors.As(err, &f) {
			return f.error
		}
		// A lost swap is one error on a single node and mostly the other on a cluster.
		switch {
		case err == nil:
			return nil
		case errors.Is(err, jetstream.ErrKeyExists), errors.Is(err, jetstream.ErrKeyRevisionMismatch):
			lost++
		default:
			failed++
		}
		if _, bounded := ctx.Deadline(); !bounded && failed >= tries {
			return err
		}
		pause := min(casPause<<min(lost, 10), casSlow) + time.Duration(failed)*tryPause
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w; last: %w", ctx.Err(), err)
		case <-time.After(rand.N(2 * pause)):
		}
	}
}

// Each calls f with every document until f returns false. The leader is asked
// for the keys: a watch of the bucket, as KeyValue.ListKeys has it, counts what
// is written meanwhile as listed, and leaves out as many others.
func (s *Store) Each(ctx context.Context, f func(events.Address, Device) bool) error {
	info, err := s.bucket.Info(ctx, jetstream.WithSubjectFilter(subjects+">"))
	if err != nil {
		return fmt.Errorf("listing the ledger: %w", err)
	}
	for _, subject := range slices.Sorted(maps.Keys(info.State.Subjects)) {
		a, err := events.ParseAddress(strings.TrimPrefix(subject, subjects))
		if err != nil {
			return fmt.Errorf("listing the ledger: %w", err)
		}
		d, err := s.Get(ctx, a)
		if err != nil {
			return err
		}
		if !f(a, d) {
			return nil
		}
	}
	return nil
}
