package broker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strconv"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// A Bucket is a JetStream key-value bucket.
//
// It is needed of one that a write conditional on a revision is refused when the
// key has changed since, and that a read is answered by the stream's leader: a
// replica's answer may be older than a write that was acknowledged.
type Bucket struct {
	Stream   jetstream.Stream // the stream below
	requests *Requests
	prefix   string // before keys in subjects
	ask      string // subject of reads
}

// Of a bucket as the broker sees it: its stream, and what stands before a key.
const (
	StreamPrefix  = "KV_"
	subjectPrefix = "$KV."
)

// Attach opens a bucket as it is, and declares nothing. Its error is
// jetstream.ErrBucketNotFound if there is none.
func Attach(ctx context.Context, js jetstream.JetStream, name string) (*Bucket, error) {
	st, err := js.Stream(ctx, StreamPrefix+name)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		return nil, jetstream.ErrBucketNotFound
	}
	if err != nil {
		return nil, err
	}
	r, err := NewRequests(js.Conn())
	if err != nil {
		return nil, err
	}
	return &Bucket{st, r, subjectPrefix + name + ".", jetstream.DefaultAPIPrefix + "STREAM.MSG.GET." + StreamPrefix + name}, nil
}

// Open declares a bucket with that many replicas and opens it. Of a bucket that
// exists it changes only what is needed.
func Open(ctx context.Context, js jetstream.JetStream, name, description string, replicas int) (*Bucket, error) {
	c := jetstream.StreamConfig{Name: StreamPrefix + name}
	st, err := js.Stream(ctx, c.Name)
	switch {
	case err == nil:
		c = st.CachedInfo().Config
	case !errors.Is(err, jetstream.ErrStreamNotFound):
		return nil, err
	}
	Declare(&c, name, description, replicas)
	if err != nil || !reflect.DeepEqual(c, st.CachedInfo().Config) {
		if _, err := js.CreateOrUpdateStream(ctx, c); err != nil {
			return nil, err
		}
	}
	return Attach(ctx, js, name)
}

// Declare is what a bucket's stream must be, by hand because CreateKeyValue turns
// direct gets on. The fields that it leaves alone are the operator's.
func Declare(c *jetstream.StreamConfig, name, description string, replicas int) {
	c.Description = description
	c.Subjects = []string{subjectPrefix + name + ".>"}
	c.Storage, c.Replicas = jetstream.FileStorage, max(replicas, 1)
	c.MaxMsgsPerSubject, c.Discard = 1, jetstream.DiscardNew
	c.DenyDelete, c.AllowRollup, c.AllowDirect = true, true, false
}

// Subject is what a key is stored under; of ">", what all keys are.
func (b *Bucket) Subject(key string) string { return b.prefix + key }

// Load returns what the leader has under a key: nil, and the revision to write
// over, if there is nothing or only the mark of what somebody has deleted.
func (b *Bucket) Load(ctx context.Context, key string) (value []byte, revision uint64, err error) {
	m, err := b.requests.Do(ctx, &nats.Msg{Subject: b.ask, Data: []byte(`{"last_by_subj":` + strconv.Quote(b.prefix+key) + `}`)}, TryFor)
	if err != nil {
		return nil, 0, err
	}
	var answer struct {
		Error   *jetstream.APIError `json:"error"`
		Message *struct {
			Sequence uint64 `json:"seq"`
			Header   []byte `json:"hdrs"`
			Data     []byte `json:"data"`
		} `json:"message"`
	}
	switch err := json.Unmarshal(m.Data, &answer); {
	case err != nil:
		return nil, 0, fmt.Errorf("reading the broker's answer: %w", err)
	case answer.Error != nil && answer.Error.ErrorCode == jetstream.JSErrCodeMessageNotFound:
		return nil, 0, nil
	case answer.Error != nil:
		return nil, 0, answer.Error
	case answer.Message == nil:
		return nil, 0, jetstream.ErrInvalidJetStreamResponse
	}
	got := answer.Message
	deleted, err := isMark(got.Header)
	if deleted || err != nil {
		return nil, got.Sequence, err
	}
	return got.Data, got.Sequence, nil
}

// isMark reports whether a message with that header stands for a deleted key.
func isMark(header []byte) (bool, error) {
	if len(header) == 0 {
		return false, nil
	}
	h, err := nats.DecodeHeadersMsg(header)
	if err != nil {
		return false, fmt.Errorf("reading the broker's answer: %w", err)
	}
	return h.Get("KV-Operation") != "" || h.Get(jetstream.MarkerReasonHeader) != "", nil
}

// Swap writes value over a revision, 0 if there is none, and returns its own.
func (b *Bucket) Swap(ctx context.Context, key string, value []byte, over uint64) (revision uint64, err error) {
	return b.requests.Publish(ctx, &nats.Msg{Subject: b.prefix + key, Data: value,
		Header: nats.Header{jetstream.ExpectedLastSubjSeqHeader: {strconv.FormatUint(over, 10)}}}, TryFor)
}

// Put writes value over whatever is there.
func (b *Bucket) Put(ctx context.Context, key string, value []byte) error {
	_, err := b.requests.Publish(ctx, &nats.Msg{Subject: b.prefix + key, Data: value}, TryFor)
	return err
}
