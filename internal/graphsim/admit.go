package graphsim

import (
	"fmt"
	"net/http"
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
	case !s.look().Before(g.until):
		return grant{}, bad("Lifetime validation failed, the token is expired.")
	}
	return g, nil
}

// admit is what happens before Graph thinks about the request: token, quota, role.
func (s *Sim) admit(x *exchange) *refusal {
	if x.entra || x.noGrant != nil {
		return x.noGrant
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.look()
	if wait := s.throttle(x.grant.tenant, x.grant.app, x.r.Method != http.MethodGet, now); wait > 0 {
		f := refused(http.StatusTooManyRequests, "TooManyRequests", "Too many requests.")
		if after := s.knobs.retryAfter(wait, now); after != "" {
			f.header = http.Header{"Retry-After": {after}}
		}
		return f
	}
	return needRole(x.call.Op, x.grant.roles)
}

const (
	rolePost = "DeviceManagementManagedDevices.PrivilegedOperations.All"
	roleRead = "DeviceManagementManagedDevices.Read.All"
)

func needRole(op string, roles []string) *refusal {
	need := map[string]string{"post": rolePost, "get": roleRead}[op]
	for _, r := range roles {
		if r == need || need == roleRead && r == "DeviceManagementManagedDevices.ReadWrite.All" {
			return nil
		}
	}
	if need == "" {
		return nil
	}
	return &refusal{
		status: http.StatusForbidden, code: "Forbidden", intune: true,
		message: "Application is not authorized to perform this operation. Application must have one of the following scopes: " + need,
	}
}
