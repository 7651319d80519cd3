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
		x.call.Op, x.call.Tenant = "token", clip(strings.ToLower(p[0]))
		x.only(http.MethodPost)
	default:
		x.routeGraph()
	}
}

func (x *exchange) routeGraph() {
	p := x.path
	x.act = nowhere(refused(http.StatusBadRequest, "BadRequest", "Resource not found for the segment '%s'.", clip(p[len(p)-1])))
	if x.v1 = p[0] == "v1.0"; p[0] != "beta" && !x.v1 {
		return
	}
	switch {
	case len(p) == 2 && p[1] == "$batch":
		x.call.Op, x.act = "batch", (*Sim).batch
		x.only(http.MethodPost)
	case len(p) >= 3 && same(p[1], "deviceManagement"):
		x.routeDevices(p[2:])
	case len(p) >= 3 && same(p[1], "users"):
		x.routeTarget(p[1:])
	}
}

// routeDevices reads what is behind deviceManagement. Version 1.0 has managed devices, to read.
func (x *exchange) routeDevices(p []string) {
	switch {
	case len(p) == 1 && (same(p[0], "managedDevices") || same(p[0], "comanagedDevices") && !x.v1):
		x.call.Op, x.call.Route, x.act = "get", "list", (*Sim).list
		x.only(http.MethodGet)
	case len(p) <= 2 && same(p[0], "operationApprovalRequests") && !x.v1:
		x.call.Op, x.act = "approvals", (*Sim).listApprovals
		x.only(http.MethodGet)
	case same(p[0], "managedDevices") || !x.v1:
		x.routeTarget(p)
	}
}

func (x *exchange) routeTarget(p []string) {
	t, rest, ok := parseTarget(p)
	if !ok || len(rest) > 1 {
		return
	}
	if len(rest) == 0 {
		x.aim(t, "get", (*Sim).get)
		x.only(http.MethodGet)
	} else if same(strings.TrimPrefix(rest[0], "microsoft.graph."), "changeAssignments") && !x.v1 {
		x.aim(t, "post", (*Sim).post)
		x.only(http.MethodPost)
	}
}

func (x *exchange) aim(t target, op string, act func(*Sim, *exchange) (reply, *refusal)) {
	x.target, x.act = &t, act
	x.call.Op, x.call.Route, x.call.Device = op, t.route, clip(strings.ToLower(t.device))
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
// Both spellings may be mixed.
func split(escaped string) []string {
	var out []string
	for seg := range strings.SplitSeq(strings.Trim(escaped, "/"), "/") {
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
