package graphsim

import (
	"mime"
	"net/http"
	"slices"
	"strings"
	"time"
)

// post answers the action: 204 means taken, not done.
func (s *Sim) post(x *exchange) (reply, *refusal) {
	if bad := x.mediaType(); bad != nil {
		return reply{}, bad
	}
	if x.badSet != nil {
		return reply{}, x.badSet
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.knobs.RefuseReadOnlyFields && x.readOnly {
		return reply{}, badSet("A read-only property was given.")
	}
	if bad := s.apply(x.call, s.look()); bad != nil {
		return reply{}, bad
	}
	return reply{status: http.StatusNoContent, header: http.Header{}}, nil
}

func (x *exchange) mediaType() *refusal {
	if kind, _, err := mime.ParseMediaType(x.r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		return refused(http.StatusUnsupportedMediaType, "UnsupportedMediaType", "Write requests must contain the Content-Type header application/json.")
	}
	return nil
}

// apply replaces the device's set by the call's, if Intune would. The caller holds mu.
func (s *Sim) apply(c *Call, at time.Time) *refusal {
	k := key{c.Tenant, c.Device}
	d := s.find(k)
	if d == nil {
		return refused(http.StatusNotFound, "ResourceNotFound", "Resource '%s' does not exist or one of its queried reference-property objects are not present.", c.Device)
	}
	if bad := s.acceptable(d, s.tenants[k.tenant], c.Items); bad != nil {
		return bad
	}
	s.install(c, d, at)
	return nil
}

func (s *Sim) acceptable(d *device, t *tenant, items []Item) *refusal {
	switch {
	case !supported(d.Platform):
		return opaque()
	case len(items) == 0 && !s.knobs.EmptyRestoresAll:
		return badSet("Collection deviceAssignmentItems must not be empty.")
	case s.knobs.ItemCap > 0 && len(items) > s.knobs.ItemCap:
		return badSet("Collection deviceAssignmentItems must have at most %d elements.", s.knobs.ItemCap)
	}
	for _, it := range items {
		assigned := len(d.Assigned) == 0 || slices.ContainsFunc(d.Assigned, func(id string) bool { return same(id, it.ID) })
		if !assigned || t.gone[strings.ToLower(it.ID)] {
			return opaque()
		}
	}
	return nil
}

// install is the effect itself, and the evidence of it.
func (s *Sim) install(c *Call, d *device, at time.Time) {
	d.put(d.set().replace(c.Items, at, s.rules()), at, s.knobs.ShowLag)
	s.applied++
	c.Applied, c.AppliedAt, c.Order = true, at, s.applied
	s.save()
}

// supported: iOS, iPadOS and Android have the feature; AOSP, Windows and macOS do not.
func supported(platform string) bool {
	p := strings.ToLower(platform)
	return p == "" || strings.HasPrefix(p, "ios") || strings.HasPrefix(p, "ipados") ||
		strings.HasPrefix(p, "android") && !strings.Contains(p, "aosp")
}
