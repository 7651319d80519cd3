package relay

import (
	"net"
	"net/http"
	"sync"
	"time"
)

// farewellTime is for connections to leave in order before the server closes
// those that are idle: ten times as long as a busy sender's connection rests.
const farewellTime = 500 * time.Millisecond

// A farewell tells each client that sends another request to a server that ends
// to use a new connection (RFC 9112, section 9.6). Shutdown alone closes an
// idle connection without a word, and also one on which a request is just
// arriving: its sender could not know whether that was taken.
type farewell struct {
	mu      sync.Mutex
	open    int           // connections
	leaving bool          // the server ends
	left    chan struct{} // closed when it ends and no connection is open
}

// attach has all of srv's connections and requests pass by f.
func (f *farewell) attach(srv *http.Server) {
	f.left = make(chan struct{})
	next, state := srv.Handler, srv.ConnState
	if next == nil {
		next = http.DefaultServeMux
	}
	srv.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if f.isLeaving() {
			w.Header().Set("Connection", "close") // in HTTP/2 the server makes it a GOAWAY
		}
		next.ServeHTTP(w, r)
	})
	srv.ConnState = func(c net.Conn, s http.ConnState) {
		f.count(s)
		if state != nil {
			state(c, s)
		}
	}
}

// begin waits until all connections have left, but not longer than most.
func (f *farewell) begin(most time.Duration) {
	f.mu.Lock()
	f.leaving = true
	f.close()
	f.mu.Unlock()
	select {
	case <-f.left:
	case <-time.After(most):
	}
}

func (f *farewell) isLeaving() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.leaving
}

func (f *farewell) count(s http.ConnState) {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch s {
	case http.StateNew:
		f.open++
	case http.StateClosed, http.StateHijacked:
		f.open--
		f.close()
	}
}

// close says so when nobody is left. The caller holds mu.
func (f *farewell) close() {
	if !f.leaving || f.open > 0 {
		return
	}
	select {
	case <-f.left:
	default:
		close(f.left)
	}
}
