package graphsim

import (
	"errors"
	"net/http"
	"strings"
)

// Approvals are a tenant's approval requests, oldest first; the newest 1000 are kept.
func (s *Sim) Approvals(tenantID string) []Approval {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.look()
	t := s.tenants[strings.ToLower(tenantID)]
	if t == nil {
		return nil
	}
	t.expire(now)
	out := make([]Approval, 0, len(t.approvals))
	for _, a := range t.approvals {
		out = append(out, a.Approval)
	}
	return out
}

// Decide approves or rejects an open approval request.
func (s *Sim) Decide(tenantID, code string, approve bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.look()
	t := s.tenants[strings.ToLower(tenantID)]
	if t == nil {
		return errors.New("deciding an approval request: there is no such tenant")
	}
	t.expire(now)
	a := t.approvalByCode(code)
	if a == nil || a.Status != approvalOpen {
		return errors.New("deciding an approval request: none with this code is open")
	}
	if a.Status = approvalRejected; approve {
		a.Status = approvalGiven
	}
	return nil
}

// listApprovals answers GET operationApprovalRequests, of one or of all.
func (s *Sim) listApprovals(x *exchange) (reply, *refusal) {
	list := []map[string]any{}
	for _, a := range s.Approvals(x.call.Tenant) {
		m := map[string]any{
			"id": a.Code, "status": a.Status, "requestJustification": a.Justification,
			"requestDateTime": stamp(a.Filed), "expirationDateTime": stamp(a.Expires),
		}
		if len(x.path) == 4 && same(x.path[3], a.Code) {
			return jsonReply(http.StatusOK, m), nil
		}
		list = append(list, m)
	}
	if len(x.path) == 4 {
		return reply{}, x.knobs.gone(x.path[3])
	}
	return jsonReply(http.StatusOK, map[string]any{
		"@odata.context": x.root + "/beta/$metadata#deviceManagement/operationApprovalRequests", "value": list,
	}), nil
}
