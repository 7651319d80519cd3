package broker

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"changerelay/internal/natstest"
)

// asked is Requests with a stand-in for the broker, which gets to see every publish.
func asked(t *testing.T, answer func(*nats.Msg)) *Requests {
	t.Helper()
	nc := natstest.Connect(t, natstest.Server(t).URL())
	if answer != nil {
		if _, err := nc.Subscribe("asked.>", answer); err != nil {
			t.Fatal(err)
		}
	}
	a, err := NewRequests(nc)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		if len(a.waiters) > 0 {
			t.Errorf("%d waiters are left", len(a.waiters))
		}
	})
	return a
}

// An acknowledgement that comes after its publish was given up, or twice, must
// not be taken for the next one's: that one may not be stored.
func TestALateAcknowledgementIsNobodyElses(t *testing.T) {
	t.Parallel()
	ctx, giveUp := context.WithCancel(t.Context())
	var first *nats.Msg
	a := asked(t, func(m *nats.Msg) {
		if first == nil {
			first = m
			giveUp()
			return
		}
		for range 2 {
			first.Respond([]byte(`{"stream":"CHANGES","seq":1}`))
		}
		m.Respond([]byte(`{"stream":"CHANGES","seq":2}`))
		m.Respond([]byte(`{"stream":"CHANGES","seq":3}`))
	})
	if _, err := a.Publish(ctx, &nats.Msg{Subject: "asked.one"}, TryFor); !errors.Is(err, context.Canceled) {
		t.Errorf("the first: %v, want context.Canceled", err)
	}
	if seq, err := a.Publish(t.Context(), &nats.Msg{Subject: "asked.two"}, TryFor); seq != 2 || err != nil {
		t.Errorf("the second: %d, %v; want 2", seq, err)
	}
	if _, err := a.Publish(ctx, &nats.Msg{Subject: "asked.three"}, TryFor); !errors.Is(err, context.Canceled) {
		t.Errorf("one that is over before it begins: %v, want context.Canceled", err)
	}
}

func TestAcknowledgementsAtOnce(t *testing.T) {
	t.Parallel()
	a := asked(t, func(m *nats.Msg) { m.Respond([]byte(`{"stream":"CHANGES","seq":` + string(m.Data) + `}`)) })
	var publishers sync.WaitGroup
	for i := range 32 {
		publishers.Go(func() {
			for j := range 50 {
				want := uint64(1000*i + j + 1)
				data, _ := json.Marshal(want)
				if seq, err := a.Publish(t.Context(), &nats.Msg{Subject: "asked.x", Data: data}, TryFor); seq != want || err != nil {
					t.Errorf("acknowledged %d, %v; want %d", seq, err, want)
				}
			}
		})
	}
	publishers.Wait()
}

func TestNobodyIsThere(t *testing.T) {
	t.Parallel()
	if _, err := asked(t, nil).Publish(t.Context(), &nats.Msg{Subject: "asked.x"}, TryFor); !errors.Is(err, jetstream.ErrNoStreamResponse) {
		t.Errorf("without a stream: %v, want ErrNoStreamResponse", err)
	}
}

func TestReadAck(t *testing.T) {
	t.Parallel()
	for data, want := range map[string]struct {
		seq uint64
		err string
	}{
		`{"stream":"CHANGES","seq":7}`:                     {7, ""},
		`{"stream":"KV_marks","seq":18446744073709551615}`: {18446744073709551615, ""},
		`{"stream":"CHANGES","domain":"hub","seq":8}`:      {8, ""},
		`{"stream":"CHANGES","seq":9,"duplicate":true}`:    {9, ""},
		` {"seq":10, "stream":"CHANGES"}`:                  {10, ""},
		`{"stream":"","seq":7}`:                            {0, "invalid"},
		`{"seq":7}`:                                        {0, "invalid"},
		`{"stream":"CHANGES","seq":-7}`:                    {0, "invalid"},
		`{"stream":"CHANGES","seq":18446744073709551616}`:  {0, "invalid"},
		`{"stream":"CHANGES","seq":7}}`:                    {0, "invalid"},
		`+OK`:                                              {0, "invalid"},
		``:                                                 {0, "invalid"},
		`{"error":{"code":400,"err_code":10071,"description":"wrong last sequence: 4"},"stream":"CHANGES","seq":0}`: {0, "wrong last"},
	} {
		seq, err := readAck([]byte(data))
		if seq != want.seq || (err == nil) != (want.err == "") || err != nil && !strings.Contains(err.Error(), want.err) {
			t.Errorf("%s: %d, %v; want %d, %q", data, seq, err, want.seq, want.err)
		}
	}
}

// FuzzPlainAck: what the quick reader takes, encoding/json reads as the same.
func FuzzPlainAck(f *testing.F) {
	for _, seed := range []string{`{"stream":"CHANGES","seq":7}`, `{"stream":"C","seq":9223372036854775807}`, `{"stream":"","seq":1}`,
		`{"stream":"A","seq":01}`, `{"stream":"A","seq":0}`, `{"stream":"A","seq":1,"duplicate":true}`, `{"stream":"A\"","seq":1}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		seq, ok := plainAck(data)
		if !ok {
			return
		}
		var want struct {
			Error  any
			Stream string
			Seq    uint64
		}
		if err := json.Unmarshal(data, &want); err != nil || want.Error != nil || want.Stream == "" || want.Seq != seq {
			t.Errorf("%q is read as %d, by encoding/json as %+v, %v", data, seq, want, err)
		}
	})
}
