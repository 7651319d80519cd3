package graphsim

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"time"
	"unicode/utf8"
)

// The states of an approval request.
const (
	approvalOpen     = "needsApproval"
	approvalGiven    = "approved"
	approvalRejected = "rejected"
	approvalDone     = "completed"
	approvalExpired  = "expired"
)

// Approval is a request that waits for, or got, a second admin's decision.
type Approval struct {
	Code, App, Device, Justification string
	Status                           string // needsApproval, approved, rejected, completed, expired
	Filed, Expires                   time.Time
}

// approval adds what only the simulator may know: which request it was, to the byte.
type approval struct {
	Approval
	print string
}

// approval is multi admin approval's part in a POST. leave is the approval that the call uses up
// when it succeeds. The caller holds mu.
func (s *Sim) approval(x *exchange, now time.Time) (leave *approval, bad *refusal) {
	mode := s.knobs.Approval
	a := s.registered(x.grant.tenant, x.grant.app)
	if mode == "" || mode == "off" || a != nil && a.NoApproval {
		return nil, nil
	}
	t := s.tenants[x.grant.tenant]
	t.expire(now)
	if code := x.r.Header.Get("x-msft-approval-code"); code != "" {
		return t.redeem(code, x.fingerprint())
	}
	why, bad := s.justification(x)
	if bad != nil {
		return nil, bad
	}
	for _, old := range t.approvals {
		if old.Device == x.call.Device && (old.Status == approvalOpen || old.Status == approvalGiven) {
			return nil, refused(http.StatusConflict, "Conflict", "An active approval request already exists for this resource.")
		}
	}
	return nil, t.file(x, why, s.dice.id(), now, mode)
}

func (s *Sim) justification(x *exchange) (string, *refusal) {
	status := http.StatusBadRequest
	if s.knobs.JustificationStatus == http.StatusForbidden {
		status = http.StatusForbidden
	}
	text := x.r.Header.Get("x-msft-approval-justification")
	if text == "" {
		return "", refused(status, codes[status], "This operation requires approval: the header x-msft-approval-justification is required.")
	}
	raw, err := base64.StdEncoding.DecodeString(text)
	if n := utf8.RuneCount(raw); err != nil || n == 0 || n > maxJustification || !utf8.Valid(raw) {
		return "", refused(http.StatusBadRequest, "BadRequest", "The header x-msft-approval-justification must be the base64 of 1 to %d characters.", maxJustification)
	}
	return string(raw), nil
}

// file takes a request up for decision: it is not done.
func (t *tenant) file(x *exchange, why, code string, now time.Time, mode string) *refusal {
	a := &approval{print: x.fingerprint(), Approval: Approval{
		Code: code, App: x.grant.app, Device: x.call.Device, Justification: why,
		Status: approvalOpen, Filed: now, Expires: now.Add(approvalLife),
	}}
	t.approvals = append(t.approvals, a)
	t.approvals = t.approvals[max(0, len(t.approvals)-maxApprovals):]
	f := refused(http.StatusForbidden, "ApprovalRequired", "This operation requires approval. x-msft-approval-code: %s", code)
	if mode == "field" {
		f.status, f.code = http.StatusPreconditionFailed, "PreconditionFailed"
	}
	f.header = http.Header{"X-Msft-Approval-Code": {code}}
	return f
}

// redeem answers a request that comes with a code.
func (t *tenant) redeem(code, print string) (*approval, *refusal) {
	a := t.approvalByCode(code)
	switch {
	case a == nil || a.Status == approvalExpired || a.Status == approvalDone:
		return nil, refused(http.StatusBadRequest, "BadRequest", "The approval code is unknown, used or expired.")
	case a.print != print:
		return nil, refused(http.StatusBadRequest, "BadRequest", "The request is not the one that the approval code was given for.")
	case a.Status == approvalRejected:
		return nil, refused(http.StatusForbidden, "Forbidden", "The approval request was rejected.")
	case a.Status == approvalOpen:
		return nil, refused(http.StatusConflict, "Conflict", "An active approval request already exists for this resource.")
	}
	return a, nil
}

// fingerprint says whether two requests are identical: app, device and body.
func (x *exchange) fingerprint() string {
	h := sha256.New()
	_, _ = h.Write([]byte(x.grant.app + "\n" + x.call.Device + "\n"))
	_, _ = h.Write(x.body)
	return hex.EncodeToString(h.Sum(nil))
}

func (t *tenant) expire(now time.Time) {
	for _, a := range t.approvals {
		if !now.Before(a.Expires) && (a.Status == approvalOpen || a.Status == approvalGiven) {
			a.Status = approvalExpired
		}
	}
}

func (t *tenant) approvalByCode(code string) *approval {
	for _, a := range t.approvals {
		if same(a.Code, code) {
			return a
		}
	}
	return nil
}
