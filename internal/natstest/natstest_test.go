package natstest

import (
	"context"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

func TestServerKeepsItsStoreOverARestart(t *testing.T) {
	b := Server(t, SyncAlways())
	url := b.URL()
	js := keep(t, url, 1)
	b.Stop()
	b.Start()
	if b.URL() != url {
		t.Errorf("after the restart the server is at %s, want %s", b.URL(), url)
	}
	found(t, js)
}

func TestClusterServesWithoutOneNode(t *testing.T) {
	c := Cluster(t, 3)
	js := keep(t, c.URL(), 3)
	stopped := c.Leader("KEPT")
	if stopped < 0 {
		t.Fatal("no node leads the stream")
	}
	c.StopServer(stopped)
	found(t, js)
	c.StartServer(stopped)
	found(t, js)
}

// keep stores one message.
func keep(t *testing.T, url string, replicas int) jetstream.JetStream {
	t.Helper()
	js, err := jetstream.New(Connect(t, url))
	if err != nil {
		t.Fatal(err)
	}
	if _, err = js.CreateStream(t.Context(), jetstream.StreamConfig{Name: "KEPT", Subjects: []string{"kept"}, Replicas: replicas}); err != nil {
		t.Fatal(err)
	}
	if _, err = js.Publish(t.Context(), "kept", []byte("it")); err != nil {
		t.Fatal(err)
	}
	return js
}

// found waits until the stored message is served. A question to a leader that
// has just gone stays without an answer, so each has a limit of its own.
func found(t *testing.T, js jetstream.JetStream) {
	t.Helper()
	var err error
	for end := time.Now().Add(time.Minute); time.Now().Before(end); {
		if err = read(t.Context(), js); err == nil {
			return
		}
	}
	t.Fatalf("the message is not served: %v", err)
}

func read(ctx context.Context, js jetstream.JetStream) error {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	s, err := js.Stream(ctx, "KEPT")
	if err == nil {
		_, err = s.GetMsg(ctx, 1)
	}
	return err
}
