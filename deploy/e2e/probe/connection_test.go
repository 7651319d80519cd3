package main

import (
	"bufio"
	"context"
	"errors"
	"net"
	"net/http"
	"testing"
)

// A server that answers the first request of a connection, and hangs up on the second.
func TestOnlyAUsedConnectionIsIdle(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	answers := make(chan bool, 1) // whether the connection's first request is answered
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			r := bufio.NewReader(c)
			if q, err := http.ReadRequest(r); err == nil && <-answers {
				q.Body.Close()
				_, _ = c.Write([]byte("HTTP/1.1 202 Accepted\r\nContent-Length: 2\r\n\r\n{}"))
				_, _ = http.ReadRequest(r)
			}
			c.Close()
		}
	}()
	r := &relay{url: "http://" + l.Addr().String(), client: &http.Client{Transport: &http.Transport{}}}
	answers <- true
	if a, err := r.post(context.Background(), newEvent(0, 0, "remove")); err != nil || a.code != http.StatusAccepted {
		t.Fatalf("the first request: %d, %v", a.code, err)
	}
	if _, err := r.post(context.Background(), newEvent(0, 1, "remove")); !errors.Is(err, errIdle) {
		t.Errorf("hung up on a used connection: %v", err)
	}
	answers <- false
	if _, err := r.post(context.Background(), newEvent(0, 2, "remove")); err == nil || errors.Is(err, errIdle) {
		t.Errorf("hung up on a new connection: %v", err)
	}
}
