package relay

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptrace"
	"testing"
	"time"

	"changerelay/internal/await"
)

// A sender that never rests gets an answer to each request while a server ends:
// it is told to leave the connection before that is closed.
func TestServeSaysGoodbye(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "done") })}
	served := make(chan error, 1)
	go func() { served <- serveAndLeave(ctx, srv, l, time.Hour, time.Hour, slog.New(slog.DiscardHandler)) }()

	client := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	url := "http://" + l.Addr().String()
	if closes, _ := send(t, client, url); closes {
		t.Fatal("a server that goes on closed the connection")
	}
	cancel()
	await.State(t, "an answer that closes the connection", func() bool {
		closes, reused := send(t, client, url) // fails when the connection is cut
		return closes && reused
	})
	if err := <-served; err != nil { // the last connection has left
		t.Error(err)
	}
}

// send reports whether the answer closes the connection, and whether that was one used before.
func send(t *testing.T, client *http.Client, url string) (closes, reused bool) {
	t.Helper()
	trace := &httptrace.ClientTrace{GotConn: func(i httptrace.GotConnInfo) { reused = i.Reused }}
	req, err := http.NewRequestWithContext(httptrace.WithClientTrace(t.Context(), trace), http.MethodPost, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if _, err := io.Copy(io.Discard, res.Body); err != nil {
		t.Fatal(err)
	}
	return res.Close, reused
}

// Whoever has an idle connection is not waited for beyond the farewell's time,
// and a server without connections ends at once.
func TestFarewellEnds(t *testing.T) {
	for name, open := range map[string]int{"nobody there": 0, "one leaves": 1} {
		t.Run(name, func(t *testing.T) {
			var f farewell
			f.attach(&http.Server{})
			for range open {
				f.count(http.StateNew)
			}
			done := make(chan struct{})
			go func() { f.begin(time.Hour); close(done) }()
			await.State(t, "it began", f.isLeaving)
			for range open {
				f.count(http.StateClosed)
			}
			<-done
		})
	}
	var f farewell
	f.attach(&http.Server{})
	f.count(http.StateNew)
	f.begin(time.Millisecond) // returns
}
