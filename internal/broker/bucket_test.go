package broker

import (
	"errors"
	"testing"

	"github.com/nats-io/nats.go/jetstream"

	"changerelay/internal/natstest"
)

func opened(t *testing.T, url string, replicas int) (*Bucket, jetstream.JetStream) {
	t.Helper()
	js, err := jetstream.New(natstest.Connect(t, url))
	if err != nil {
		t.Fatal(err)
	}
	b, err := Open(t.Context(), js, "words", "words of a test", replicas)
	if err != nil {
		t.Fatal(err)
	}
	return b, js
}

func want(t *testing.T, b *Bucket, key, value string, revision uint64) {
	t.Helper()
	got, n, err := b.Load(t.Context(), key)
	if err != nil || string(got) != value || (got == nil) != (value == "") || n != revision {
		t.Fatalf("%s is %q at %d, %v; want %q at %d", key, got, n, err, value, revision)
	}
}

// swapped wants a write to be made, or to be lost.
func swapped(t *testing.T, b *Bucket, key, value string, over, revision uint64) {
	t.Helper()
	n, err := b.Swap(t.Context(), key, []byte(value), over)
	if n != revision || (err == nil) != (revision > 0) || err != nil && !Lost(err) {
		t.Fatalf("writing %q over %d: %d, %v; want %d", value, over, n, err, revision)
	}
}

func TestBucket(t *testing.T) {
	t.Parallel()
	b, js := opened(t, natstest.Server(t).URL(), 1)
	want(t, b, "a.b", "", 0)
	swapped(t, b, "a.b", "one", 0, 1)
	swapped(t, b, "a.b", "two", 0, 0)
	swapped(t, b, "a.b", "two", 1, 2)
	swapped(t, b, "a.b", "three", 1, 0)
	want(t, b, "a.b", "two", 2)
	want(t, b, "a", "", 0)
	if err := b.Put(t.Context(), "a.b", []byte(`"four"`)); err != nil {
		t.Fatal(err)
	}
	want(t, b, "a.b", `"four"`, 3)

	kv, err := js.KeyValue(t.Context(), "words")
	if err != nil {
		t.Fatal(err)
	}
	for n, forget := range []func() error{
		func() error { return kv.Delete(t.Context(), "a.b") },
		func() error { return kv.Purge(t.Context(), "a.b") },
	} {
		if err := forget(); err != nil {
			t.Fatal(err)
		}
		mark := uint64(4 + 2*n)
		want(t, b, "a.b", "", mark)
		swapped(t, b, "a.b", "again", 0, 0)
		swapped(t, b, "a.b", "again", mark, mark+1)
	}
	if e, err := kv.Get(t.Context(), "a.b"); err != nil || string(e.Value()) != "again" {
		t.Errorf("nats.go reads %v, %v", e, err)
	}
}

func TestBucketOnACluster(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("a cluster takes seconds to form")
	}
	c := natstest.Cluster(t, 3)
	b, _ := opened(t, c.URL(), 3)
	swapped(t, b, "k", "one", 0, 1)
	swapped(t, b, "k", "two", 0, 0)
	swapped(t, b, "k", "two", 1, 2)
	want(t, b, "k", "two", 2)
}

func TestNoBucket(t *testing.T) {
	t.Parallel()
	url := natstest.Server(t).URL()
	js, err := jetstream.New(natstest.Connect(t, url))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Attach(t.Context(), js, "words"); !errors.Is(err, jetstream.ErrBucketNotFound) {
		t.Errorf("attached to nothing: %v", err)
	}
	b, _ := opened(t, url, 1)
	if err := js.DeleteKeyValue(t.Context(), "words"); err != nil {
		t.Fatal(err)
	}
	if _, _, err := b.Load(t.Context(), "k"); err == nil || Lost(err) {
		t.Errorf("read from nothing: %v", err)
	}
	if _, err := b.Swap(t.Context(), "k", nil, 0); err == nil || Lost(err) {
		t.Errorf("written to nothing: %v", err)
	}
}
