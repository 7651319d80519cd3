package quota

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"changerelay/internal/broker"
)

// Name is the key-value bucket's; its keys are Key.String.
const Name = "quota"

// A Store keeps the cells in a JetStream key-value bucket.
//
// It needs of the bucket that a write conditional on a revision is refused when
// the cell has changed since, and that a read is answered by the stream's leader.
type Store struct {
	bucket *broker.Bucket
	keys   keys

	mu      sync.Mutex
	last    map[string]entry // as last seen here: one round trip for whoever is alone
	buckets map[string]*Bucket
}

// keys is what a Store needs of its bucket; tests lose swaps in it.
type keys interface {
	Load(ctx context.Context, key string) (value []byte, revision uint64, err error)
	Swap(ctx context.Context, key string, value []byte, over uint64) (revision uint64, err error)
}

// An entry is a cell and the revision to write over.
type entry struct {
	cell     Cell
	revision uint64
}

// Attach opens the bucket as it is, and declares nothing: for operators' tools.
func Attach(ctx context.Context, js jetstream.JetStream) (*Store, error) {
	b, err := broker.Attach(ctx, js, Name)
	if errors.Is(err, jetstream.ErrBucketNotFound) {
		return nil, errors.New("the broker has no quotas yet; the first worker makes them")
	}
	if err != nil {
		return nil, fmt.Errorf("opening the quotas: %w", err)
	}
	return newStore(b), nil
}

// Open declares the bucket with that many replicas and opens it. Of a bucket that
// exists it changes only what the quotas need.
func Open(ctx context.Context, js jetstream.JetStream, replicas int) (*Store, error) {
	b, err := broker.Open(ctx, js, Name, "changerelay: when Graph may be called, one cell a quota", replicas)
	if err != nil {
		return nil, fmt.Errorf("declaring the quotas: %w", err)
	}
	return newStore(b), nil
}

func newStore(b *broker.Bucket) *Store {
	return &Store{bucket: b, keys: b, last: map[string]entry{}, buckets: map[string]*Bucket{}}
}

// Get returns the cell as the leader has it; the zero Cell if nobody has used
// the quota yet.
func (s *Store) Get(ctx context.Context, k Key) (Cell, error) {
	var e entry
	err := broker.Persist(ctx, func() (err error) {
		e, err = s.load(ctx, k.String())
		return err
	})
	return e.cell, err
}

// Bucket returns this process's view of a quota: the same for the same key, with
// the limit of the newest call. now is the process's clock and that of the first call.
func (s *Store) Bucket(k Key, l Limit, now func() time.Time) *Bucket {
	s.mu.Lock()
	b := s.buckets[k.String()]
	if b == nil {
		b = newBucket(s, k.String(), now)
		s.buckets[k.String()] = b
	}
	s.mu.Unlock()
	b.SetLimit(l)
	return b
}

func (s *Store) load(ctx context.Context, key string) (entry, error) {
	b, revision, err := s.keys.Load(ctx, key)
	if err != nil {
		return entry{}, fmt.Errorf("reading quota %s: %w", key, err)
	}
	if b == nil {
		return entry{revision: revision}, nil
	}
	c, err := decode(b)
	if err != nil {
		return entry{}, broker.Final{Err: fmt.Errorf("reading quota %s: %w", key, err)}
	}
	return entry{c, revision}, nil
}
