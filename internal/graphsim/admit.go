package graphsim

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// check looks the bearer token up. The caller holds mu.
func (s *Sim) check(x *exchange) (grant, *refusal) {
	scheme, raw, _ := strings.Cut(x.r.Header.Get("Authorization"), " ")
	raw = strings.TrimSpace(raw)
	bad := func(text string) *refusal {
		f := refused(http.StatusUnauthorized, "InvalidAuthenticationToken", "%s", text)
		f.header = http.Header{"Www-Authenticate": {fmt.Sprintf(`Bearer realm="", authorization_uri="%s/common/oauth2/authorize"`, x.root)}}
		return f
	}
	if !strings.EqualFold(scheme, "Bearer") || raw == "" {
		return grant{}, bad("Access token is empty.")
	}
	g, ok := s.grants[raw]
	switch {
	case !ok:
		return grant{}, bad("Access token validation failure. Invalid signature.")
	case !s.told().Before(g.until):
		return grant{}, bad("Lifetime validation failed, the token is expired.")
	}
	return g, s.challenged(x, g)
}

// admit is what happens before Graph thinks about the request: token, quota, role. A $batch is
// admitted as such; its parts come here one by one.
func (s *Sim) admit(x *exchange) *refusal {
	if x.entra || x.noGrant != nil || x.call.Op == "batch" {
		return x.noGrant
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.look()
	if wait := s.throttle(x.grant.tenant, x.grant.app, x.r.Method != http.MethodGet, now); wait > 0 {
		if s.knobs.ThrottledApplies {
			s.applyUnseen(x)
		}
		f := refused(http.StatusTooManyRequests, "TooManyRequests", "Too many requests.")
		f.intune = s.knobs.ThrottleBody == "nested"
		if after := s.knobs.retryAfter(wait, now.Add(s.knobs.ClockSkew)); after != "" {
			f.header = http.Header{"Retry-After": {after}}
		}
		return f
	}
	return s.knobs.needRole(x.call.Op, x.grant.roles)
}

// applyUnseen lets a throttled call take effect, if nothing else were wrong with it.
func (s *Sim) applyUnseen(x *exchange) {
	if x.call.Op == "post" && s.knobs.needRole("post", x.grant.roles) == nil && x.mediaType() == nil {
		_, _ = s.accept(x) // the caller hears of the throttle, whatever this says
	}
}

const (
	rolePost   = "DeviceManagementManagedDevices.PrivilegedOperations.All"
	roleRead   = "DeviceManagementManagedDevices.Read.All"
	roleWrite  = "DeviceManagementManagedDevices.ReadWrite.All"
	roleConfig = "DeviceManagementConfiguration.Read.All"
)

// needRole is the permission check. The roles that the page once named for the action are not
// enough, unless the knob says so.
func (k *Knobs) needRole(op string, roles []string) *refusal {
	var enough []string
	switch {
	case op == "post" && k.ReadRolePosts:
		enough = []string{rolePost, roleRead, roleConfig}
	case op == "post":
		enough = []string{rolePost}
	case op == "get" || op == "approvals":
		enough = []string{roleRead, roleWrite}
	default:
		return nil
	}
	if slices.ContainsFunc(roles, func(r string) bool { return slices.Contains(enough, r) }) {
		return nil
	}
	return &refusal{
		status: http.StatusForbidden, code: "Forbidden", intune: true,
		message: "Application is not authorized to perform this operation. Application must have one of the following scopes: " + strings.Join(enough, ", "),
	}
}
