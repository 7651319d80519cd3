package graphsim

import (
	"context"
	"io"
	"net/http"
	"time"
)

// exchange is one request on its way through. Its call is in the journal, so the call's fields
// may only be changed under mu.
type exchange struct {
	r      *http.Request
	root   string // https://host, as the caller spelled it
	path   []string
	v1     bool
	entra  bool // answered by Entra, not by Graph
	query  bool // discovery: neither journaled nor open to faults
	act    func(*Sim, *exchange) (reply, *refusal)
	target *target
	call   *Call
	body   []byte
	knobs  *Knobs // as they were when it arrived

	grant   grant
	noGrant *refusal
	lost    *refusal // why the device cannot be found
	set     parsed
	badSet  *refusal // why the body is no set
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
	x := s.newExchange(r, body)
	if x.query {
		x.call.At, x.knobs = s.now()
		x.send(w, x.result(x.act(s, x)))
		return
	}
	x.send(w, s.run(x))
}

// run is a request from its arrival to its answer, which is not sent yet.
func (s *Sim) run(x *exchange) reply {
	s.arrive(x)
	defer s.end(x.call, 0) // for a hook that ends this goroutine
	a := s.decide(x)
	s.end(x.call, a.status)
	return a
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

func (s *Sim) now() (time.Time, *Knobs) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.look(), s.knobs
}

func (s *Sim) newExchange(r *http.Request, body []byte) *exchange {
	x := &exchange{r: r, root: "https://" + r.Host, path: split(r.URL.EscapedPath()), body: body}
	x.call = &Call{
		Op: "other", Method: clip(r.Method), Path: clip(r.URL.Path),
		ClientRequestID: clip(r.Header.Get("client-request-id")), RequestID: s.dice.id(),
	}
	if x.call.ClientRequestID == "" {
		x.call.ClientRequestID = x.call.RequestID
	}
	x.route()
	if x.call.Op == "post" {
		x.set, x.badSet = parseSet(body)
		x.call.Items = x.set.items[:min(len(x.set.items), maxKeptItems)]
	}
	return x
}

// decide is the life of a request, in the order that the package comment draws.
func (s *Sim) decide(x *exchange) reply {
	if bad := s.admit(x); bad != nil {
		return x.refuse(*bad)
	}
	if a := s.strike(x, BeforeApply, reply{}); a != nil {
		return *a
	}
	a, bad := x.act(s, x)
	if bad != nil {
		return x.refuse(*bad)
	}
	if lost := s.strike(x, AfterApply, a); lost != nil {
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

// arrive finds out who asks, and for what, and writes the call down.
func (s *Sim) arrive(x *exchange) {
	s.mu.Lock()
	defer s.mu.Unlock()
	x.knobs = s.knobs
	if x.entra {
		if t := s.tenants[x.call.Tenant]; t != nil {
			t.tokens++
		}
	} else if x.grant, x.noGrant = s.check(x); x.noGrant == nil {
		x.call.Tenant, x.call.App = x.grant.tenant, x.grant.app
		s.locate(x)
	}
	s.enter(x.call)
}

// locate finds the device that the path names, if it names one and the route works.
func (s *Sim) locate(x *exchange) {
	t := x.target
	switch {
	case t == nil:
	case t.route == "comanagedDevices" && !s.knobs.ComanagedRoute:
		x.lost = refused(http.StatusBadRequest, "No method match route template",
			"No OData route exists that match template ~/singleton/navigation/key")
	case t.script != "" && s.knobs.NoScriptRoutes:
		x.lost = refused(http.StatusBadRequest, "No method match route template",
			"No OData route exists that match template ~/singleton/navigation/key/navigation/key/navigation")
	default:
		x.call.Device, x.lost = s.resolve(x.grant.tenant, *t)
		x.call.Device = clip(x.call.Device)
	}
}

// part is a request inside of another one.
func (x *exchange) part(ctx context.Context, method, url string, body io.Reader) (*http.Request, error) {
	r, err := http.NewRequestWithContext(ctx, method, x.root+"/"+x.path[0]+url, body) // #nosec G704 -- it goes to no network: the same handler answers it
	if err == nil {
		r.Host = x.r.Host
		r.Header.Set("Authorization", x.r.Header.Get("Authorization"))
	}
	return r, err
}
