package graph

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"sync"
	"time"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/confidential"
	msal "github.com/AzureAD/microsoft-authentication-library-for-go/apps/errors"
)

// entra requests tokens through MSAL. It is the only place that sees MSAL's
// errors: they quote whole replies, tokens too.
type entra struct {
	conf Config
	http *http.Client

	app confidential.Client // owned by New, then by the one fetch in flight

	mu     sync.Mutex // guards secret, which every failing call has to know
	secret string
}

func newEntra(c Config, h *http.Client) (*entra, error) {
	e := &entra{conf: c, http: h}
	secret, err := c.Secret()
	if err != nil {
		return nil, fmt.Errorf("reading Secret: %w", err)
	}
	if secret == "" {
		return nil, errors.New("empty Secret")
	}
	return e, e.build(secret)
}

// build makes the MSAL client for a secret. There is one, so that its
// endpoints are resolved once; only a new secret needs another.
func (e *entra) build(secret string) error {
	cred, err := confidential.NewCredFromSecret(secret)
	if err != nil {
		return errors.New("unusable Secret")
	}
	options := []confidential.Option{
		confidential.WithHTTPClient(tokenHTTP{e.http}),
		confidential.WithCache(noCache{}),
		confidential.WithInstanceDiscovery(!e.conf.Custom),
	}
	if e.conf.Custom {
		// MSAL_FORCE_REGION in the environment would send the secret to Microsoft.
		options = append(options, confidential.WithAzureRegion("DisableMsalForceRegion"))
	}
	app, err := confidential.New(e.conf.Cloud.Authority+"/"+e.conf.TenantID, e.conf.ClientID, cred, options...)
	if err != nil {
		return errors.New("Cloud.Authority and TenantID make no authority")
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.app, e.secret = app, secret
	return nil
}

func (e *entra) secretInUse() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.secret
}

// fetch requests one token. A secret that cannot be read now is no reason to
// stop using the one that we have.
func (e *entra) fetch(ctx context.Context) (token, *Error) {
	if s, err := e.conf.Secret(); err == nil && s != "" && s != e.secretInUse() {
		if err := e.build(s); err != nil {
			return token{}, &Error{Op: opToken, Kind: Denied, Err: err}
		}
	}
	r, err := e.app.AcquireTokenByCredential(ctx, []string{e.conf.Cloud.scope()})
	if err != nil {
		return token{}, tokenError(err, e.conf.Now())
	}
	if r.AccessToken == "" || !printable(r.AccessToken) {
		return token{}, &Error{Op: opToken, Kind: Unavailable, Message: "token is malformed"}
	}
	// MSAL reckons by the system's clock, and we by the configured one.
	now := e.conf.Now()
	ahead := time.Until(now)
	return newToken(r.AccessToken, now, r.ExpiresOn.Add(ahead), r.Metadata.RefreshOn.Add(ahead)), nil
}

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
	e.RetryAfter = retryAfter(reply.Resp.Header.Get("Retry-After"), now)
	e.Message = aadsts.FindString(body.Description)
	if kind, ok := oauthErrors[body.Error]; ok {
		e.Kind, e.Code = kind, body.Error
	}
	return e
}
