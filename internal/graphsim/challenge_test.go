package graphsim_test

import (
	"context"
	"encoding/base64"
	"regexp"
	"testing"
	"time"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/confidential"

	"changerelay/internal/graphsim"
)

var claimsIn = regexp.MustCompile(`error="insufficient_claims", claims="([^"]+)"`)

// claimed asks for a token with claims.
func (r *rig) claimed(claims string) string {
	r.t.Helper()
	f := r.form(clientID, "s3cret")
	f.Set("claims", claims)
	status, out := r.askToken(tenantID, f)
	if status != 200 {
		r.t.Fatalf("token: %d %v", status, out)
	}
	return out["access_token"].(string)
}

const cp1 = `{"access_token":{"xms_cc":{"values":["cp1"]}}}`

// Line 8: 401 with claims, until the token was minted with them; only for clients that said cp1.
func TestClaimsChallenge(t *testing.T) {
	r := newRig(t, graphsim.Options{})
	plain := r.token
	capable := r.claimed(cp1)
	want(t, "revoked", r.Revoke(tenantID, clientID, graphsim.Challenge{}), true)
	r.post(phone, appA) // by the token that cannot take challenges
	r.token = capable
	a := r.ask("POST", action(phone), setOf(appB))
	m := claimsIn.FindStringSubmatch(a.header.Get("WWW-Authenticate"))
	if a.status != 401 || m == nil {
		t.Fatalf("%d %v", a.status, a.header)
	}
	claims, err := base64.StdEncoding.DecodeString(m[1])
	if err != nil {
		t.Fatal(err)
	}
	want(t, "not applied", r.held(phone), "a")
	r.token = r.claimed(cp1)
	want(t, "another token is not enough", r.ask("POST", action(phone), setOf(appB)).status, 401)
	r.token = r.claimed(string(claims))
	r.post(phone, appB)

	r.Revoke(tenantID, clientID, graphsim.Challenge{Everyone: true, Forbidden: true})
	r.token = plain
	a = r.ask("POST", action(phone), setOf(appB))
	code, _ := a.code(t)
	want(t, "everyone, as 403", line(a.status, code), "403 insufficient_claims")
	want(t, "nobody", r.Revoke(tenantID, "nobody", graphsim.Challenge{}), false)
	f := r.form(clientID, "s3cret")
	f.Set("claims", "bm8=")
	status, _ := r.askToken(tenantID, f)
	want(t, "claims that are no JSON", status, 400)
}

// Line 8: MSAL answers the challenge, and its tokens live as long as the knob says.
func TestMSALClaims(t *testing.T) {
	r := newRig(t, graphsim.Options{Now: time.Now})
	r.turn(func(k *graphsim.Knobs) { k.CAETokenLife = 24 * time.Hour })
	cred, err := confidential.NewCredFromSecret("s3cret")
	if err != nil {
		t.Fatal(err)
	}
	c, err := confidential.New(r.URL()+"/"+tenantID, clientID, cred, confidential.WithInstanceDiscovery(false),
		confidential.WithHTTPClient(r.client), confidential.WithClientCapabilities([]string{"CP1"}))
	if err != nil {
		t.Fatal(err)
	}
	token := func(o ...confidential.AcquireByCredentialOption) {
		got, err := c.AcquireTokenByCredential(context.Background(), []string{r.URL() + "/.default"}, o...)
		if err != nil {
			t.Fatal(err)
		}
		want(t, "long life", time.Until(got.ExpiresOn) > 23*time.Hour, true)
		r.token = got.AccessToken
	}
	token()
	r.Revoke(tenantID, clientID, graphsim.Challenge{})
	m := claimsIn.FindStringSubmatch(r.ask("POST", action(phone), setOf(appA)).header.Get("WWW-Authenticate"))
	if m == nil {
		t.Fatal("no challenge: MSAL's cp1 went unnoticed")
	}
	claims, _ := base64.StdEncoding.DecodeString(m[1])
	token(confidential.WithClaims(string(claims)))
	r.post(phone, appA)
}
