package graphsim_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"math/big"
	"net/url"
	"testing"
	"time"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/confidential"
	"github.com/golang-jwt/jwt/v5"

	"changerelay/internal/graphsim"
)

func certify(t *testing.T) (*rsa.PrivateKey, *x509.Certificate) {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "worker"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return key, cert
}

// Line 1: MSAL's certificate assertions, with and without x5c, are believed when the certificate is registered.
func TestMSALCertificate(t *testing.T) {
	r := newRig(t, graphsim.Options{Now: time.Now})
	key, cert := certify(t)
	_, other := certify(t)
	cred, err := confidential.NewCredFromCert([]*x509.Certificate{cert}, key)
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range [][]confidential.Option{nil, {confidential.WithX5C()}} {
		for registered, fine := range map[*x509.Certificate]bool{cert: true, other: false} {
			r.AddApp(tenantID, graphsim.App{ClientID: "certified", Certificates: []*x509.Certificate{registered}})
			c, err := confidential.New(r.URL()+"/"+tenantID, "certified", cred,
				append(o, confidential.WithInstanceDiscovery(false), confidential.WithHTTPClient(r.client))...)
			if err != nil {
				t.Fatal(err)
			}
			_, err = c.AcquireTokenByCredential(context.Background(), []string{r.URL() + "/.default"})
			if (err == nil) != fine {
				t.Errorf("with %d options, registered %t: %v", len(o), fine, err)
			}
		}
	}
}

// Line 1: each thing that an assertion can have wrong, in Entra's number.
func TestAssertions(t *testing.T) {
	r := newRig(t, graphsim.Options{Now: time.Now})
	key, cert := certify(t)
	stranger, _ := certify(t)
	federated, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	r.AddApp(tenantID, graphsim.App{ClientID: "certified", Certificates: []*x509.Certificate{cert}, Federated: []graphsim.Federated{
		{Issuer: "https://cluster.test", Subject: "system:serviceaccount:relay:worker", Key: federated.Public()}}})
	r.AddApp(tenantID, graphsim.App{ClientID: "open"})
	type claims = jwt.MapClaims
	own := func(change claims) claims {
		c := claims{"iss": "certified", "sub": "certified", "aud": r.URL() + "/" + tenantID + "/oauth2/v2.0/token", "exp": time.Now().Add(time.Minute).Unix()}
		for k, v := range change {
			if c[k] = v; v == nil {
				delete(c, k)
			}
		}
		return c
	}
	foreign := func(change claims) claims {
		c := own(claims{"iss": "https://cluster.test", "sub": "system:serviceaccount:relay:worker", "aud": []string{"api://AzureADTokenExchange"}})
		for k, v := range change {
			c[k] = v
		}
		return c
	}
	open := claims{"iss": "open", "sub": "open"}
	for _, c := range []struct {
		what, app string
		method    jwt.SigningMethod
		key       any
		claims    claims
		want      string
	}{
		{"own, RS256", "certified", jwt.SigningMethodRS256, key, own(nil), "200 <nil>"},
		{"own, PS256", "certified", jwt.SigningMethodPS256, key, own(nil), "200 <nil>"},
		{"issuer as audience", "certified", jwt.SigningMethodRS256, key, own(claims{"aud": r.URL() + "/" + tenantID + "/v2.0"}), "200 <nil>"},
		{"other algorithm", "certified", jwt.SigningMethodRS512, key, own(nil), "401 [700027]"},
		{"none", "certified", jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, own(nil), "401 [700027]"},
		{"public key as a secret", "certified", jwt.SigningMethodHS256, x509.MarshalPKCS1PublicKey(&key.PublicKey), own(nil), "401 [700027]"},
		{"somebody's key", "certified", jwt.SigningMethodRS256, stranger, own(nil), "401 [700027]"},
		{"somebody's audience", "certified", jwt.SigningMethodRS256, key, own(claims{"aud": "https://elsewhere"}), "401 [700023]"},
		{"somebody's subject", "certified", jwt.SigningMethodRS256, key, own(claims{"sub": "open"}), "401 [700021]"},
		{"over", "certified", jwt.SigningMethodRS256, key, own(claims{"exp": time.Now().Add(-time.Second).Unix()}), "401 [700024]"},
		{"not yet", "certified", jwt.SigningMethodRS256, key, own(claims{"nbf": time.Now().Add(time.Hour).Unix()}), "401 [700024]"},
		{"no expiry", "certified", jwt.SigningMethodRS256, key, own(claims{"exp": nil}), "401 [700024]"},
		{"federated", "certified", jwt.SigningMethodES256, federated, foreign(nil), "200 <nil>"},
		{"federated, somebody's key", "certified", jwt.SigningMethodRS256, key, foreign(nil), "401 [50013]"},
		{"federated, other subject", "certified", jwt.SigningMethodES256, federated, foreign(claims{"sub": "x"}), "401 [70021]"},
		{"federated, other issuer", "certified", jwt.SigningMethodES256, federated, foreign(claims{"iss": "https://x"}), "401 [70021]"},
		{"federated, other cloud", "certified", jwt.SigningMethodES256, federated, foreign(claims{"aud": "api://AzureADTokenExchangeChina"}), "401 [70021]"},
		{"nothing registered", "open", jwt.SigningMethodRS256, stranger, own(open), "200 <nil>"},
		{"nothing registered, federated", "open", jwt.SigningMethodES256, federated, foreign(nil), "200 <nil>"},
		{"nothing registered, no audience", "open", jwt.SigningMethodES256, federated, foreign(claims{"aud": "x"}), "401 [700212]"},
	} {
		tok := jwt.NewWithClaims(c.method, c.claims)
		tok.Header["x5t#S256"] = thumb(cert)
		raw, err := tok.SignedString(c.key)
		if err != nil {
			t.Fatal(c.what, err)
		}
		status, out := r.askToken(tenantID, r.asserted(c.app, raw))
		numbers, _ := out["error_codes"].([]any)
		got := line(status, "<nil>")
		if len(numbers) > 0 {
			got = line(status, "["+line(int(numbers[0].(float64)))+"]")
		}
		want(t, c.what, got, c.want)
	}
	f := r.asserted("open", unsigned(own(open)))
	f.Set("client_assertion_type", "saml")
	status, _ := r.askToken(tenantID, f)
	want(t, "type", status, 401)
}

func (r *rig) asserted(app, raw string) url.Values {
	f := r.form(app, "")
	f.Del("client_secret")
	f.Set("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
	f.Set("client_assertion", raw)
	return f
}

func thumb(c *x509.Certificate) string {
	sum := sha256.Sum256(c.Raw)
	return base64.RawURLEncoding.EncodeToString(sum[:])
}
