package graphsim

import (
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

// defaultFederation is the audience of a federated identity credential that names none.
const defaultFederation = "api://AzureADTokenExchange"

// assertion is a client assertion (RFC 7523), taken apart and not yet believed.
type assertion struct {
	header struct {
		Alg  string   `json:"alg"`
		Kid  string   `json:"kid"`
		X5t  string   `json:"x5t"`
		X5t2 string   `json:"x5t#S256"`
		X5c  []string `json:"x5c"`
	}
	claims struct {
		Iss string   `json:"iss"`
		Sub string   `json:"sub"`
		Aud audience `json:"aud"`
		Exp *float64 `json:"exp"`
		Nbf *float64 `json:"nbf"`
	}
	signed    string
	signature []byte
}

// audience is a text or a list of texts.
type audience []string

func (a *audience) UnmarshalJSON(data []byte) error {
	var one string
	if json.Unmarshal(data, &one) == nil {
		*a = audience{one}
		return nil
	}
	return json.Unmarshal(data, (*[]string)(a))
}

func badAssertion(number int, format string, args ...any) *refusal {
	return refused(401, "invalid_client", "AADSTS%d: %s", number, fmt.Sprintf(format, args...))
}

func parseAssertion(raw string) (a assertion, ok bool) {
	parts := strings.Split(raw, ".")
	if len(raw) > maxAssertion || len(parts) != 3 {
		return a, false
	}
	var err error
	if a.signature, err = base64.RawURLEncoding.DecodeString(parts[2]); err != nil {
		return a, false
	}
	a.signed = parts[0] + "." + parts[1]
	return a, decodePart(parts[0], &a.header) && decodePart(parts[1], &a.claims)
}

func decodePart(part string, v any) bool {
	data, err := base64.RawURLEncoding.DecodeString(part)
	return err == nil && json.Unmarshal(data, v) == nil
}

// checkAssertion says why an assertion does not prove that its bearer is the app. base is the
// tenant's part of the authority.
func checkAssertion(raw string, app *App, base string, now time.Time) *refusal {
	a, ok := parseAssertion(raw)
	if !ok {
		return badAssertion(50027, "JWT token is invalid or malformed.")
	}
	if bad := a.late(now); bad != nil {
		return bad
	}
	if same(a.claims.Iss, app.ClientID) {
		return a.own(app, base)
	}
	return a.foreign(app)
}

// late checks the times. Entra demands an expiry.
func (a *assertion) late(now time.Time) *refusal {
	const skew = 5 * time.Minute
	at := float64(now.Unix())
	if a.claims.Exp == nil || *a.claims.Exp <= at || a.claims.Nbf != nil && *a.claims.Nbf > at+skew.Seconds() {
		return badAssertion(700024, "Client assertion is not within its valid time range.")
	}
	return nil
}

// own checks what the app signed with its certificate.
func (a *assertion) own(app *App, base string) *refusal {
	aud := []string{base + "/oauth2/v2.0/token", base + "/v2.0", base + "/v2.0/"}
	switch {
	case !same(a.claims.Sub, app.ClientID):
		return badAssertion(700021, "Client assertion application identifier doesn't match 'client_id' parameter.")
	case !slices.ContainsFunc(a.claims.Aud, func(s string) bool { return slices.ContainsFunc(aud, func(t string) bool { return same(s, t) }) }):
		return badAssertion(700023, "Client assertion audience claim does not match Realm issuer.")
	case len(app.Certificates) == 0 && len(app.Federated) == 0:
		return nil
	}
	cert := a.certificate(app.Certificates)
	if cert == nil {
		return badAssertion(700027, "The certificate with identifier used to sign the client assertion is not registered on application.")
	}
	if !a.verifies(cert.PublicKey) {
		return badAssertion(700027, "The client assertion's signature is not valid.")
	}
	return nil
}

// certificate is the registered one that the header names by x5c's leaf or by a thumbprint.
func (a *assertion) certificate(registered []*x509.Certificate) *x509.Certificate {
	for _, c := range registered {
		if len(a.header.X5c) > 0 {
			if der, err := base64.StdEncoding.DecodeString(a.header.X5c[0]); err == nil && slices.Equal(der, c.Raw) {
				return c
			}
			continue
		}
		if a.names(c) {
			return c
		}
	}
	return nil
}

// foreign checks what another issuer signed for the app: workload identity federation.
func (a *assertion) foreign(app *App) *refusal {
	if len(app.Certificates) == 0 && len(app.Federated) == 0 {
		if len(a.claims.Aud) == 0 || !strings.HasPrefix(a.claims.Aud[0], defaultFederation) {
			return badAssertion(700212, "No matching federated identity record found for presented assertion audience.")
		}
		return nil
	}
	for _, f := range app.Federated {
		want := f.Audience
		if want == "" {
			want = defaultFederation
		}
		if a.claims.Iss == f.Issuer && a.claims.Sub == f.Subject && slices.Contains(a.claims.Aud, want) {
			if f.Key != nil && !a.verifies(f.Key) {
				return badAssertion(50013, "Assertion failed signature validation.")
			}
			return nil
		}
	}
	return badAssertion(70021, "No matching federated identity record found for presented assertion.")
}
