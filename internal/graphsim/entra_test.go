package graphsim_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/confidential"

	"changerelay/internal/graphsim"
)

// The client library that real workers use has to be content with the simulator.
func TestMSAL(t *testing.T) {
	r := newRig(t, graphsim.Options{Now: time.Now}) // MSAL believes the wall clock
	secret, err := confidential.NewCredFromSecret("s3cret")
	if err != nil {
		t.Fatal(err)
	}
	assertion := confidential.NewCredFromAssertionCallback(
		func(_ context.Context, o confidential.AssertionRequestOptions) (string, error) {
			return unsigned(map[string]any{"iss": clientID, "sub": clientID, "aud": o.TokenEndpoint, "exp": time.Now().Add(time.Minute).Unix()}), nil
		})
	for name, cred := range map[string]confidential.Credential{"secret": secret, "assertion": assertion} {
		c, err := confidential.New(r.URL()+"/"+tenantID, clientID, cred,
			confidential.WithInstanceDiscovery(false), confidential.WithHTTPClient(r.client))
		if err != nil {
			t.Fatal(err)
		}
		before := r.TokenRequests(tenantID)
		for range 2 {
			got, err := c.AcquireTokenByCredential(context.Background(), []string{r.URL() + "/.default"})
			if err != nil {
				t.Fatal(name, err)
			}
			if left := time.Until(got.ExpiresOn); left < 50*time.Minute || left > time.Hour {
				t.Errorf("%s: token lives %v", name, left)
			}
			r.token = got.AccessToken
		}
		want(t, "token requests, the second from the cache", r.TokenRequests(tenantID)-before, 1)
		r.post(phone, appA)
	}
}

// unsigned is an assertion that nobody signed.
func unsigned(claims map[string]any) string {
	body, err := json.Marshal(claims)
	if err != nil {
		panic(err)
	}
	enc := base64.RawURLEncoding.EncodeToString
	return enc([]byte(`{"alg":"RS256"}`)) + "." + enc(body) + ".c2ln"
}

func TestMSALWrongSecret(t *testing.T) {
	r := newRig(t, graphsim.Options{})
	cred, _ := confidential.NewCredFromSecret("wrong")
	c, err := confidential.New(r.URL()+"/"+tenantID, clientID, cred,
		confidential.WithInstanceDiscovery(false), confidential.WithHTTPClient(r.client))
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.AcquireTokenByCredential(context.Background(), []string{r.URL() + "/.default"})
	if err == nil || !strings.Contains(err.Error(), "AADSTS7000215") {
		t.Error(err)
	}
}

func TestTokenErrors(t *testing.T) {
	r := newRig(t, graphsim.Options{})
	with := func(kv ...string) url.Values {
		f := r.form(clientID, "s3cret")
		for i := 0; i < len(kv); i += 2 {
			f.Set(kv[i], kv[i+1])
		}
		return f
	}
	for _, c := range []struct {
		tenant string
		form   url.Values
		want   string
	}{
		{tenantID, with("client_secret", "wrong"), "401 invalid_client [7.000215e+06]"},
		{tenantID, with("client_secret", ""), "401 invalid_client [7.000218e+06]"},
		{tenantID, with("client_id", "other"), "400 unauthorized_client [700016]"},
		{tenantID, with("grant_type", "password"), "400 unsupported_grant_type [70003]"},
		{tenantID, with("scope", "https://graph.microsoft.com/.default"), "400 invalid_scope [1.002012e+06]"},
		{tenantID, with("client_assertion", "nonsense"), "401 invalid_client [50027]"},
		{"nobody", with(), "400 invalid_request [90002]"},
	} {
		status, out := r.askToken(c.tenant, c.form)
		want(t, "error", line(status, out["error"], out["error_codes"]), c.want)
	}
}

func TestBearer(t *testing.T) {
	r := newRig(t, graphsim.Options{})
	good := r.token
	var claims struct {
		Aud, Tid, Appid string
		Roles           []string
		Exp             int64
	}
	raw, err := base64.RawURLEncoding.DecodeString(strings.Split(good, ".")[1])
	if err != nil || json.Unmarshal(raw, &claims) != nil {
		t.Fatal(err, string(raw))
	}
	want(t, "claims", line(claims.Aud, claims.Tid, claims.Appid, len(claims.Roles), claims.Exp),
		line(r.URL(), tenantID, clientID, 2, noon.Add(time.Hour).Unix()))
	for _, bad := range []string{"", "nonsense", good + "x"} {
		r.token = bad
		a := r.must("POST", action(phone), setOf(appA))
		code, _ := a.code(t)
		want(t, "bad token", line(a.status, code, a.header.Get("WWW-Authenticate") != ""), "401 InvalidAuthenticationToken true")
	}
	r.token = good
	r.post(phone, appA)
	r.Advance(time.Hour)
	want(t, "expired", r.must("POST", action(phone), setOf(appA)).status, 401)
}

func TestRoles(t *testing.T) {
	r := newRig(t, graphsim.Options{})
	const read = "DeviceManagementManagedDevices.Read.All"
	both := r.token
	r.AddTenant(graphsim.Tenant{ID: tenantID, ClientID: clientID, ClientSecret: "s3cret", Roles: []string{read}})
	r.token = both
	r.post(phone, appA) // a token keeps the roles it was made with
	r.token = r.login(clientID, "s3cret")
	a := r.must("POST", action(phone), setOf(appB))
	code, message := a.code(t)
	want(t, "post", line(a.status, code), "403 Forbidden")
	var nested struct {
		Version int `json:"_version"`
		Message string
	}
	if err := json.Unmarshal([]byte(message), &nested); err != nil || nested.Version != 3 ||
		!strings.Contains(nested.Message, "scopes: DeviceManagementManagedDevices.PrivilegedOperations.All") ||
		!strings.Contains(nested.Message, "Activity ID: "+a.header.Get("client-request-id")) {
		t.Errorf("%v: %s", err, message)
	}
	want(t, "get", r.listed(phone), "a:remove/initiated")
}

func TestDiscovery(t *testing.T) {
	r := newRig(t, graphsim.Options{})
	var doc map[string]any
	a := r.must("GET", "/"+tenantID+"/v2.0/.well-known/openid-configuration?", "")
	if err := json.Unmarshal([]byte(a.body), &doc); err != nil {
		t.Fatal(err)
	}
	want(t, "issuer", doc["issuer"], any(r.URL()+"/"+tenantID+"/v2.0"))
	want(t, "unknown", r.must("GET", "/nobody/v2.0/.well-known/openid-configuration", "").status, 400)
	want(t, "instances", r.must("GET", "/common/discovery/instance?api-version=1.1", "").status, 200)
	want(t, "not journaled", len(r.Journal()), 1)
}
