package control

import (
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"

	"changerelay/internal/graphsim"
)

// admin is the API of one simulator.
type admin struct {
	sim   *graphsim.Sim
	reset func()
}

// problem is an answer that is not 200.
type problem struct {
	status int
	err    error
}

func wrong(err error) *problem      { return &problem{http.StatusBadRequest, err} }
func missing(text string) *problem  { return &problem{http.StatusNotFound, errors.New(text)} }
func conflict(text string) *problem { return &problem{http.StatusConflict, errors.New(text)} }

// Handler is the admin API. reset puts the simulator back to its start.
func Handler(sim *graphsim.Sim, reset func()) http.Handler {
	a := &admin{sim, reset}
	mux := http.NewServeMux()
	for pattern, act := range map[string]func(*http.Request) (any, *problem){
		"GET /{$}":                                            a.index,
		"POST /reset":                                         a.doReset,
		"GET /clock":                                          a.clock,
		"POST /clock":                                         a.advance,
		"GET /knobs":                                          a.knobs,
		"PATCH /knobs":                                        a.turn,
		"GET /faults":                                         a.faults,
		"POST /faults":                                        a.inject,
		"DELETE /faults":                                      a.clearAll,
		"DELETE /faults/{id}":                                 a.clear,
		"GET /journal":                                        a.journal,
		"GET /tenants":                                        a.tenants,
		"GET /tenants/{tenant}/devices":                       a.devices,
		"GET /tenants/{tenant}/approvals":                     a.approvals,
		"POST /tenants/{tenant}/challenges":                   a.challenge,
		"DELETE /tenants/{tenant}/items/{item}":               a.deleteItem,
		"PUT /tenants/{tenant}/apps/{app}/secret":             a.secret,
		"GET /tenants/{tenant}/devices/{device}":              a.device,
		"PATCH /tenants/{tenant}/devices/{device}":            a.reach,
		"DELETE /tenants/{tenant}/devices/{device}":           a.deleteDevice,
		"POST /tenants/{tenant}/devices/{device}/portal":      a.portal,
		"PUT /tenants/{tenant}/devices/{device}/fates/{item}": a.fate,
		"DELETE /tenants/{tenant}/devices/{device}/fates/{item}": a.clearFate,
		"POST /tenants/{tenant}/approvals/{code}/{decision}":     a.decide,
	} {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) { answer(w, r, act) })
	}
	return local(http.NewCrossOriginProtection().Handler(mux))
}

// Server serves the admin API on a listener.
func Server(h http.Handler) *http.Server {
	return &http.Server{Handler: h, ReadHeaderTimeout: headerExpiry}
}

// local keeps web pages out that have a name of theirs resolve to this address: their requests carry
// the name.
func local(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host := r.Host
		if h, _, err := net.SplitHostPort(host); err == nil {
			host = h
		}
		if _, err := netip.ParseAddr(host); err != nil && host != "localhost" {
			write(w, http.StatusMisdirectedRequest, map[string]string{"error": "call the admin API by its address or as localhost"})
			return
		}
		next.ServeHTTP(w, r)
	})
}

func answer(w http.ResponseWriter, r *http.Request, act func(*http.Request) (any, *problem)) {
	out, bad := act(r)
	if bad != nil {
		write(w, bad.status, map[string]string{"error": bad.err.Error()})
		return
	}
	write(w, http.StatusOK, out)
}

func write(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the caller may have left
}

// read decodes a request's body. An absent one changes nothing.
func read(r *http.Request, target any) (*decoder, *problem) {
	data, err := io.ReadAll(io.LimitReader(r.Body, maxInput+1))
	if err != nil || len(data) > maxInput {
		return nil, &problem{http.StatusRequestEntityTooLarge, errors.New("the body is too large, or ended early")}
	}
	v := Value{Kind: Map}
	if len(data) > 0 {
		if v, err = ParseJSON(data); err != nil {
			return nil, wrong(err)
		}
	}
	d, err := decode(v, target)
	if err != nil {
		return nil, wrong(err)
	}
	return d, nil
}
