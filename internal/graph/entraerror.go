package graph

import (
	"encoding/json"
	"errors"
	"io"
	"regexp"
	"time"

	msal "github.com/AzureAD/microsoft-authentication-library-for-go/apps/errors"
)

// oauthErrors are the words of an OAuth error reply that may be quoted, and
// what each means here. Microsoft asks not to branch on AADSTS numbers.
var oauthErrors = map[string]Kind{
	"invalid_client":          Denied,
	"unauthorized_client":     Denied,
	"invalid_request":         Unavailable,
	"invalid_grant":           Unavailable,
	"invalid_scope":           Unavailable,
	"invalid_resource":        Unavailable,
	"invalid_tenant":          Unavailable,
	"invalid_instance":        Unavailable,
	"unsupported_grant_type":  Unavailable,
	"access_denied":           Unavailable,
	"interaction_required":    Unavailable,
	"server_error":            Unavailable,
	"temporarily_unavailable": Unavailable,
}

var aadsts = regexp.MustCompile(`AADSTS\d{4,8}\b`)

// tokenError makes an error of what can be said safely about MSAL's.
func tokenError(err error, now time.Time) *Error {
	e := &Error{Op: opToken, Kind: Unavailable}
	reply, ok := errors.AsType[msal.CallErr](err)
	if !ok || reply.Resp == nil {
		if e.Err = cause(err); errors.Is(e.Err, errBroken) {
			e.Err, e.Message = nil, "no usable reply"
		}
		return e
	}
	var body struct {
		Error       string `json:"error"`
		Description string `json:"error_description"`
	}
	data, _ := io.ReadAll(reply.Resp.Body) // in memory already
	_ = json.Unmarshal(data, &body)
	e.Status = reply.Resp.StatusCode
	e.RetryAfter = retryAfter(reply.Resp.Header.Get("Retry-After"), dated(reply.Resp.Header, now))
	e.Message = aadsts.FindString(body.Description)
	if kind, ok := oauthErrors[body.Error]; ok {
		e.Kind, e.Code = kind, body.Error
	}
	return e
}
