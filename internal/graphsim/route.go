package graphsim

import (
	"net/http"
	"net/url"
	"strings"
)

// route finds out what is asked for. What it does not know is answered like Graph answers a path
// that does not exist, after the token check, and is journaled as "other".
func (x *exchange) route() {
	p := x.path
	switch {
	case len(p) == 3 && p[0] == "common" && p[1] == "discovery" && p[2] == "instance":
		x.entra, x.query, x.act = true, true, (*Sim).instances
	case len(p) == 4 && p[1] == "v2.0" && p[2] == ".well-known" && p[3] == "openid-configuration":
		x.entra, x.query, x.act = true, true, (*Sim).openID
		x.call.Tenant = strings.ToLower(p[0])
	case len(p) == 4 && p[1] == "oauth2" && p[2] == "v2.0" && p[3] == "token":
		x.entra, x.act = true, (*Sim).mint
		x.call.Op, x.call.Tenant = "token", strings.ToLower(p[0])
		x.only(http.MethodPost)
	default:
		x.routeGraph()
	}
}

func (x *exchange) routeGraph() {
	p := x.path
	last := p[len(p)-1]
	x.act = nowhere(refused(http.StatusBadRequest, "BadRequest", "Resource not found for the segment '%s'.", last))
	if len(p) < 3 || p[0] != "beta" || !same(p[1], "deviceManagement") {
		return
	}
	if same(p[2], "comanagedDevices") && len(p) > 3 {
		x.act = nowhere(refused(http.StatusBadRequest, "No method match route template",
			"No OData route exists that match template ~/singleton/navigation/key"))
		return
	}
	if !same(p[2], "managedDevices") {
		return
	}
	if len(p) > 3 {
		x.call.Device = strings.ToLower(p[3])
	}
	switch {
	case len(p) == 3:
		x.call.Op, x.act = "get", (*Sim).list
		x.only(http.MethodGet)
	case len(p) == 4:
		x.call.Op, x.act = "get", (*Sim).get
		x.only(http.MethodGet)
	case len(p) == 5 && same(strings.TrimPrefix(last, "microsoft.graph."), "changeAssignments"):
		x.call.Op, x.act = "post", (*Sim).post
		x.only(http.MethodPost)
	}
}

// only refuses other methods. Such a call is none of the operations that the journal knows.
func (x *exchange) only(method string) {
	if x.r.Method != method {
		x.call.Op = "other"
		x.act = nowhere(refused(http.StatusMethodNotAllowed, "Request_BadRequest",
			"Specified HTTP method is not allowed for the request target."))
	}
}

func nowhere(f *refusal) func(*Sim, *exchange) (reply, *refusal) {
	return func(*Sim, *exchange) (reply, *refusal) { return reply{}, f }
}

// split takes a path apart, and a key in brackets with it: managedDevices('x') is managedDevices/x.
func split(escaped string) []string {
	var out []string
	for _, seg := range strings.Split(strings.Trim(escaped, "/"), "/") {
		if plain, err := url.PathUnescape(seg); err == nil {
			seg = plain
		}
		if name, rest, ok := strings.Cut(seg, "('"); ok && strings.HasSuffix(rest, "')") {
			out = append(out, name, strings.TrimSuffix(rest, "')"))
			continue
		}
		out = append(out, seg)
	}
	return out
}
