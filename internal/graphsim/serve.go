package graphsim

import (
	"crypto/rand"
	"fmt"
	"io"
	"net/http"
	"time"
)

// exchange is one request on its way through. Its call is in the journal, so the call's fields
// may only be changed under mu.
type exchange struct {
	r     *http.Request
	root  string // https://host, as the caller spelled it
	path  []string
	entra bool // answered by Entra, not by Graph
	query bool // discovery: neither journaled nor open to faults
	act   func(*Sim, *exchange) (reply, *refusal)
	call  *Call
	body  []byte

	grant    grant
	noGrant  *refusal
	readOnly bool     // the set came with read-only properties
	badSet   *refusal // why the body is no set
}

// Handler is the whole simulator. To drop a connection it panics with http.ErrAbortHandler,
// which net/http's server understands.
func (s *Sim) Handler() http.Handler { return http.HandlerFunc(s.serve) }

func (s *Sim) serve(w http.ResponseWriter, r *http.Request) {
	if !s.open() {
		panic(http.ErrAbortHandler)
	}
	defer s.calls.Done()
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	if err != nil {
		panic(http.ErrAbortHandler) // it left while sending: there was no request
	}
	x := newExchange(r, body)
	if x.query {
		x.call.At = s.now()
		x.send(w, x.result(x.act(s, x)))
		return
	}
	s.arrive(x)
	defer s.end(x.call, 0) // for a hook that ends this goroutine
	a := s.decide(x)
	s.end(x.call, a.status)
	x.send(w, a)
}

// open lets a request in unless the simulator is closing.
func (s *Sim) open() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.stopped {
		s.calls.Add(1)
	}
	return !s.stopped
}

func (s *Sim) now() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.look()
}

func newExchange(r *http.Request, body []byte) *exchange {
	x := &exchange{r: r, root: "https://" + r.Host, path: split(r.URL.EscapedPath()), body: body}
	x.call = &Call{Op: "other", ClientRequestID: r.Header.Get("client-request-id"), RequestID: newID()}
	if x.call.ClientRequestID == "" {
		x.call.ClientRequestID = x.call.RequestID
	}
	x.route()
	if x.call.Op == "post" {
		x.call.Items, x.readOnly, x.badSet = parseSet(body)
	}
	return x
}

// decide is the life of a request, in the order that the package comment draws.
func (s *Sim) decide(x *exchange) reply {
	if bad := s.admit(x); bad != nil {
		return x.refuse(*bad)
	}
	if a := s.strike(x, BeforeApply); a != nil {
		return *a
	}
	a, bad := x.act(s, x)
	if bad != nil {
		return x.refuse(*bad)
	}
	if lost := s.strike(x, AfterApply); lost != nil {
		return *lost
	}
	return a
}

func (x *exchange) result(a reply, bad *refusal) reply {
	if bad != nil {
		return x.refuse(*bad)
	}
	return a
}

// arrive finds out who asks and writes the call down.
func (s *Sim) arrive(x *exchange) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if x.entra {
		if t := s.tenants[x.call.Tenant]; t != nil {
			t.tokens++
		}
	} else if x.grant, x.noGrant = s.check(x); x.noGrant == nil {
		x.call.Tenant = x.grant.tenant
	}
	s.enter(x.call)
}

// newID is a random GUID.
func newID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
