package graphsim

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// grant is what a token stands for. Its roles are those at the time it was made: a role that is
// granted later needs a new token.
type grant struct {
	tenant, app string
	roles       []string
	until       time.Time
	nbf         string // the challenge that it answers
	cp1         bool   // its client can take challenges
}

// mint answers POST /{tenant}/oauth2/v2.0/token.
func (s *Sim) mint(x *exchange) (reply, *refusal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.tenants[x.call.Tenant]
	form, err := url.ParseQuery(string(x.body))
	switch {
	case t == nil:
		return reply{}, refused(400, "invalid_request", "AADSTS90002: Tenant '%s' not found.", x.call.Tenant)
	case err != nil:
		return reply{}, refused(400, "invalid_request", "AADSTS900144: The request body is malformed.")
	}
	a := t.apps[strings.ToLower(form.Get("client_id"))]
	if bad := checkClient(t, a, form, x.root, s.clock().Add(s.knobs.ClockSkew)); bad != nil {
		return reply{}, bad
	}
	nbf, cp1, bad := readClaims(form.Get("claims"))
	if bad != nil {
		return reply{}, bad
	}
	now, life := s.told(), s.knobs.TokenLife
	if cp1 && s.knobs.CAETokenLife > 0 {
		life = s.knobs.CAETokenLife
	}
	g := grant{tenant: x.call.Tenant, app: strings.ToLower(a.ClientID), roles: a.Roles, until: now.Add(life), nbf: nbf, cp1: cp1}
	raw := accessToken(t.ID, &a.App, cp1, x.root, now, life)
	s.remember(raw, g, now)
	return jsonReply(http.StatusOK, s.knobs.tokenAnswer(raw, life)), nil
}

func (k *Knobs) tokenAnswer(raw string, life time.Duration) map[string]any {
	seconds := int(life / time.Second)
	out := map[string]any{"token_type": "Bearer", "expires_in": seconds, "ext_expires_in": seconds, "access_token": raw}
	switch {
	case k.RefreshIn > 0:
		out["refresh_in"] = int(k.RefreshIn / time.Second)
	case life > 2*time.Hour:
		out["refresh_in"] = seconds / 2
	}
	return out
}

// remember keeps a token, and forgets the oldest: those that are over, and those that are too many.
func (s *Sim) remember(raw string, g grant, now time.Time) {
	for len(s.minted) > 0 && (len(s.minted) >= maxGrants || !now.Before(s.grants[s.minted[0]].until)) {
		delete(s.grants, s.minted[0])
		s.minted = s.minted[1:]
	}
	s.grants[raw] = g
	s.minted = append(s.minted, raw)
}

// checkClient is the token endpoint's list of what can be wrong, in Entra's words. now is the
// caller's time: an assertion's times are real ones, however far Advance went.
func checkClient(t *tenant, a *app, form url.Values, root string, now time.Time) *refusal {
	switch secret := form.Get("client_secret"); {
	case form.Get("grant_type") != "client_credentials":
		return refused(400, "unsupported_grant_type", "AADSTS70003: The app requested an unsupported grant type '%s'.", clip(form.Get("grant_type")))
	case a == nil:
		return refused(400, "unauthorized_client", "AADSTS700016: Application with identifier '%s' was not found in the directory '%s'.", clip(form.Get("client_id")), t.ID)
	case !slices.Contains(strings.Fields(form.Get("scope")), root+"/.default"):
		return refused(400, "invalid_scope", "AADSTS1002012: The provided value for scope %s is not valid.", clip(form.Get("scope")))
	case form.Has("client_assertion"):
		if form.Get("client_assertion_type") != "urn:ietf:params:oauth:client-assertion-type:jwt-bearer" {
			return badAssertion(50027, "JWT token is invalid or malformed.")
		}
		return checkAssertion(form.Get("client_assertion"), &a.App, root+"/"+t.ID, now)
	case secret == "":
		return refused(401, "invalid_client", "AADSTS7000218: The request body must contain the following parameter: 'client_assertion' or 'client_secret'.")
	case a.ClientSecret == "" || subtle.ConstantTimeCompare([]byte(secret), []byte(a.ClientSecret)) != 1:
		return refused(401, "invalid_client", "AADSTS7000215: Invalid client secret provided.")
	}
	return nil
}

// accessToken looks like a JWT, because clients decode its claims. Nobody can check its signature,
// which is random: the simulator knows its tokens by heart.
func accessToken(tenant string, a *App, cp1 bool, root string, now time.Time, life time.Duration) string {
	all := map[string]any{
		"aud": root, "iss": "https://sts.windows.net/" + tenant + "/", "tid": tenant, "appid": a.ClientID,
		"idtyp": "app", "roles": a.Roles, "ver": "1.0", "uti": rand.Text(),
		"iat": now.Unix(), "nbf": now.Unix(), "exp": now.Add(life).Unix(),
	}
	if cp1 {
		all["xms_cc"] = []string{"cp1"}
	}
	claims, err := json.Marshal(all)
	if err != nil {
		panic(err)
	}
	enc := base64.RawURLEncoding.EncodeToString
	return enc([]byte(`{"typ":"JWT","alg":"RS256","kid":"simulated"}`)) + "." + enc(claims) + "." + enc([]byte(rand.Text()))
}

// refuseToken is Entra's error shape.
func (x *exchange) refuseToken(f refusal) reply {
	if f.code == "" {
		f.code = "temporarily_unavailable"
	}
	if f.message == "" {
		f.message = "AADSTS90033: A transient error has occurred. Please try again."
	}
	var number int
	_, _ = fmt.Sscanf(f.message, "AADSTS%d", &number) // a fault may have any message
	return jsonReply(f.status, map[string]any{
		"error":             f.code,
		"error_description": fmt.Sprintf("%s Trace ID: %s Correlation ID: %s", f.message, x.call.RequestID, x.call.ClientRequestID),
		"error_codes":       []int{number},
		"timestamp":         x.said().Format("2006-01-02 15:04:05Z"),
		"trace_id":          x.call.RequestID,
		"correlation_id":    x.call.ClientRequestID,
		"error_uri":         x.root + "/error",
	})
}

// openID answers /{tenant}/v2.0/.well-known/openid-configuration.
func (s *Sim) openID(x *exchange) (reply, *refusal) {
	s.mu.Lock()
	_, known := s.tenants[x.call.Tenant]
	s.mu.Unlock()
	if !known {
		return reply{}, refused(400, "invalid_tenant", "AADSTS90002: Tenant '%s' not found.", x.call.Tenant)
	}
	base := x.root + "/" + x.call.Tenant
	return jsonReply(http.StatusOK, map[string]any{
		"issuer":                                base + "/v2.0",
		"authorization_endpoint":                base + "/oauth2/v2.0/authorize",
		"token_endpoint":                        base + "/oauth2/v2.0/token",
		"jwks_uri":                              base + "/discovery/v2.0/keys",
		"token_endpoint_auth_methods_supported": []string{"client_secret_post", "private_key_jwt"},
		"response_types_supported":              []string{"code", "id_token"},
		"subject_types_supported":               []string{"pairwise"},
		"id_token_signing_alg_values_supported": []string{"RS256"},
	}), nil
}

// instances answers /common/discovery/instance: this host is the whole cloud.
func (s *Sim) instances(x *exchange) (reply, *refusal) {
	host := x.r.Host
	return jsonReply(http.StatusOK, map[string]any{
		"tenant_discovery_endpoint": x.root + "/common/v2.0/.well-known/openid-configuration",
		"api-version":               "1.1",
		"metadata": []any{map[string]any{
			"preferred_network": host, "preferred_cache": host, "aliases": []string{host},
		}},
	}), nil
}

// TokenRequests counts the tenant's token requests, answered or not.
func (s *Sim) TokenRequests(tenantID string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if t := s.tenants[strings.ToLower(tenantID)]; t != nil {
		return t.tokens
	}
	return 0
}
