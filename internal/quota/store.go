package quota

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// Name is the key-value bucket's; its keys are Key.String.
const Name = "quota"

// Of the bucket as the broker sees it: its stream, and what stands before a key.
const (
	stream   = "KV_" + Name
	subjects = "$KV." + Name + "."
)

// A Store keeps the cells in a JetStream key-value bucket.
//
// It needs of the bucket that a write conditional on a revision is refused when
// the cell has changed since, and that a read is answered by the stream's leader.
type Store struct {
	kv jetstream.KeyValue

	mu      sync.Mutex
	last    map[string]entry // as last seen here: one round trip for whoever is alone
	buckets map[string]*Bucket
}

// An entry is a cell and its revision, 0 if nothing is stored.
type entry struct {
	cell     Cell
	revision uint64
}

// Attach opens the bucket as it is, and declares nothing: for operators' tools.
func Attach(ctx context.Context, js jetstream.JetStream) (*Store, error) {
	kv, err := js.KeyValue(ctx, Name)
	if errors.Is(err, jetstream.ErrBucketNotFound) {
		return nil, errors.New("the broker has no quotas yet; the first worker makes them")
	}
	if err != nil {
		return nil, fmt.Errorf("opening the quotas: %w", err)
	}
	return &Store{kv: kv, last: map[string]entry{}, buckets: map[string]*Bucket{}}, nil
}

// Open declares the bucket with that many replicas and opens it. Of a bucket that
// exists it changes only what the quotas need.
func Open(ctx context.Context, js jetstream.JetStream, replicas int) (*Store, error) {
	c := jetstream.StreamConfig{Name: stream}
	st, err := js.Stream(ctx, c.Name)
	switch {
	case err == nil:
		c = st.CachedInfo().Config
	case !errors.Is(err, jetstream.ErrStreamNotFound):
		return nil, fmt.Errorf("declaring the quotas: %w", err)
	}
	// Declared by hand because CreateKeyValue turns direct gets on.
	c.Description = "changerelay: when Graph may be called, one cell a quota"
	c.Subjects = []string{subjects + ">"}
	c.Storage, c.Replicas = jetstream.FileStorage, max(replicas, 1)
	c.MaxMsgsPerSubject, c.Discard = 1, jetstream.DiscardNew
	c.DenyDelete, c.AllowRollup, c.AllowDirect = true, true, false
	if err != nil || !reflect.DeepEqual(c, st.CachedInfo().Config) {
		if _, err := js.CreateOrUpdateStream(ctx, c); err != nil {
			return nil, fmt.Errorf("declaring the quotas: %w", err)
		}
	}
	return Attach(ctx, js)
}

// Get returns the cell as the leader has it; the zero Cell if nobody has used
// the quota yet.
func (s *Store) Get(ctx context.Context, k Key) (Cell, error) {
	var e entry
	err := s.persist(ctx, func() (err error) {
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
	ctx, cancel := context.WithTimeout(ctx, tryFor)
	defer cancel()
	e, err := s.kv.Get(ctx, key)
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return entry{}, nil
	}
	if err != nil {
		return entry{}, fmt.Errorf("reading quota %s: %w", key, err)
	}
	c, err := decode(e.Value())
	if err != nil {
		return entry{}, final{fmt.Errorf("reading quota %s: %w", key, err)}
	}
	return entry{c, e.Revision()}, nil
}
