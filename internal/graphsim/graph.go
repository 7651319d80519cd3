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
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.accept(x)
}

func (x *exchange) mediaType() *refusal {
	if kind, _, err := mime.ParseMediaType(x.r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		return refused(http.StatusUnsupportedMediaType, "UnsupportedMediaType", "Write requests must contain the Content-Type header application/json.")
	}
	return nil
}

// accept is the POST: what can be wrong with the request, then the approval, then the effect. The
// caller holds mu.
func (s *Sim) accept(x *exchange) (reply, *refusal) {
	now := s.look()
	if x.lost != nil {
		return reply{}, x.lost
	}
	if bad := s.judge(x); bad != nil {
		return reply{}, bad
	}
	leave, bad := s.approval(x, now)
	if bad == nil {
		bad = s.apply(order{x.call, x.set.items}, now)
	}
	if bad != nil {
		return reply{}, bad
	}
	if leave != nil {
		leave.Status = approvalDone
	}
	return reply{status: http.StatusNoContent, header: http.Header{}}, nil
}

// judge is what the body alone can have wrong, as the knobs see it.
func (s *Sim) judge(x *exchange) *refusal {
	switch k := s.knobs; {
	case x.badSet != nil:
		return x.badSet
	case x.set.null && !k.NullIsEmpty:
		return badSet("The parameter 'deviceAssignmentItems' must be a collection of items.")
	case x.set.twice && !k.MergeDuplicates:
		return badSet("An item is listed twice.")
	case x.set.readOnly && k.RefuseReadOnlyFields:
		return badSet("A read-only property was given.")
	}
	return nil
}

// order is a set on its way to a device.
type order struct {
	call  *Call
	items []Item
}

// apply replaces the device's set by the order's, if Intune would. The caller holds mu.
func (s *Sim) apply(o order, at time.Time) *refusal {
	k := key{o.call.Tenant, o.call.Device}
	d := s.find(k)
	if d == nil {
		return s.knobs.gone(o.call.Device)
	}
	if bad := s.acceptable(d, s.tenants[k.tenant], o.items); bad != nil {
		return bad
	}
	if s.knobs.WhilePending == "refuse" && d.set().at(at, s.rules()).pending() {
		return refused(http.StatusConflict, "Conflict", "An action is already pending on the device.")
	}
	s.install(o, d, at)
	return nil
}

func (s *Sim) acceptable(d *device, t *tenant, items []Item) *refusal {
	switch {
	case !supported(d.Platform, d.Ownership):
		return opaque()
	case len(items) == 0 && !s.knobs.EmptyRestoresAll:
		return badSet("Collection deviceAssignmentItems must not be empty.")
	case s.knobs.ItemCap > 0 && len(items) > s.knobs.ItemCap:
		return badSet("Collection deviceAssignmentItems must have at most %d elements.", s.knobs.ItemCap)
	}
	for _, it := range items {
		assigned := len(d.Assigned) == 0 || slices.ContainsFunc(d.Assigned, func(id string) bool { return same(id, it.ID) })
		if !assigned || len(t.gone) > 0 && t.gone[strings.ToLower(it.ID)] {
			return opaque()
		}
	}
	return nil
}

// install is the effect itself, and the evidence of it. With WhilePending "queue" the set has only
// begun to wait on the device, which no later answer will say.
func (s *Sim) install(o order, d *device, at time.Time) {
	d.put(d.set().replace(o.items, at, s.rules()), at, s.knobs.ShowLag)
	s.applied++
	o.call.Applied, o.call.AppliedAt, o.call.Order = true, at, s.applied
	s.save()
}

// supported: iOS, iPadOS and Android in the company's hands have the feature; AOSP, the old device
// administrator, personal work profiles, Windows and macOS do not.
func supported(platform, ownership string) bool {
	p := strings.ToLower(platform)
	return p == "" || strings.HasPrefix(p, "ios") || strings.HasPrefix(p, "ipados") ||
		strings.HasPrefix(p, "android") && !strings.Contains(p, "aosp") &&
			!strings.Contains(p, "deviceadmin") && !strings.EqualFold(ownership, "personal")
}
