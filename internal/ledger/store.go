package ledger

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/nats-io/nats.go/jetstream"

	"changerelay/internal/broker"
	"changerelay/internal/events"
)

// Bucket is the key-value bucket of the documents; its keys are Address.String.
const Bucket = "ledger"

// A Store keeps the documents in a JetStream key-value bucket.
//
// It needs of the bucket that a write conditional on a revision is refused when
// the document has changed since, and that a read is answered by the stream's
// leader. A replica's answer may be older than a write that was acknowledged,
// and a worker would find a device settled that is not.
type Store struct {
	bucket *broker.Bucket
	keys   keys
}

// keys is what a Store needs of its bucket; tests lose swaps in it.
type keys interface {
	Load(ctx context.Context, key string) (value []byte, revision uint64, err error)
	Swap(ctx context.Context, key string, value []byte, over uint64) (revision uint64, err error)
}

// ErrNone reports that there is no ledger.
var ErrNone = errors.New("the broker has no ledger yet; the first worker makes it")

// Attach opens the bucket as it is, and declares nothing. Its error is ErrNone
// if there is no bucket.
func Attach(ctx context.Context, js jetstream.JetStream) (*Store, error) {
	b, err := broker.Attach(ctx, js, Bucket)
	if errors.Is(err, jetstream.ErrBucketNotFound) {
		return nil, ErrNone
	}
	if err != nil {
		return nil, fmt.Errorf("opening the ledger: %w", err)
	}
	return &Store{b, b}, nil
}

// Open declares the bucket with that many replicas and opens it. Of a bucket that
// exists it changes only what the ledger needs.
func Open(ctx context.Context, js jetstream.JetStream, replicas int) (*Store, error) {
	b, err := broker.Open(ctx, js, Bucket, "changerelay: one document a managed device", replicas)
	if err != nil {
		return nil, fmt.Errorf("declaring the ledger: %w", err)
	}
	return &Store{b, b}, nil
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

func (s *Store) load(ctx context.Context, a events.Address) (*version, error) {
	b, revision, err := s.keys.Load(ctx, a.String())
	if err != nil {
		return nil, fmt.Errorf("reading ledger %s: %w", a, err)
	}
	if b == nil {
		return &version{revision: revision}, nil
	}
	d, err := decode(b)
	if err != nil {
		return nil, broker.Final{Err: fmt.Errorf("reading ledger %s: %w", a, err)}
	}
	return &version{d, b, revision}, nil
}

// Each calls f with every document until f returns false. The leader is asked
// for the keys: a watch of the bucket, as KeyValue.ListKeys has it, counts what
// is written meanwhile as listed, and leaves out as many others.
func (s *Store) Each(ctx context.Context, f func(events.Address, Device) bool) error {
	info, err := s.bucket.Stream.Info(ctx, jetstream.WithSubjectFilter(s.bucket.Subject(">")))
	if err != nil {
		return fmt.Errorf("listing the ledger: %w", err)
	}
	for _, subject := range slices.Sorted(maps.Keys(info.State.Subjects)) {
		a, err := events.ParseAddress(strings.TrimPrefix(subject, s.bucket.Subject("")))
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
