package graph

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/confidential"
)

// A Credential is how the application proves to Entra who it is. Exactly one
// field is set. The functions are called by New and before each token request,
// so that what was rotated is taken up; what cannot be read then, or not be
// used, leaves the last in force. Their errors are shown, so they must not
// quote what they read.
type Credential struct {
	Secret      func() (string, error)
	Certificate *Certificate
	// FederatedToken reads a token of another issuer that the application
	// trusts, such as the one that Kubernetes projects into a pod.
	FederatedToken  func() (string, error)
	ManagedIdentity *ManagedIdentity
}

// A proof is a credential as it was last read.
type proof struct {
	id   string    // another one needs another MSAL client
	hide string    // what a reply might echo
	ends time.Time // zero: not known
	open func() (requester, error)
}

// A requester asks Entra for one token, with the claims of a challenge or none.
type requester func(ctx context.Context, claims string) (confidential.AuthResult, error)

// A kind of credential has a name and a way to be read.
type credentialKind struct {
	name string // the field of Credential
	read func() (proof, error)
}

// kind finds the one field that is set.
func (e *entra) kind() (credentialKind, error) {
	c := e.conf.Credential
	var set []credentialKind
	if c.Secret != nil {
		set = append(set, credentialKind{"Secret", e.readSecret})
	}
	if c.Certificate != nil {
		set = append(set, credentialKind{"Certificate", e.readCertificate})
	}
	if c.FederatedToken != nil {
		set = append(set, credentialKind{"FederatedToken", e.readFederated})
	}
	if c.ManagedIdentity != nil {
		set = append(set, credentialKind{"ManagedIdentity", e.readManaged})
	}
	if len(set) != 1 {
		return credentialKind{}, errors.New("Credential needs exactly one of Secret, Certificate, FederatedToken and ManagedIdentity")
	}
	return set[0], nil
}

func (e *entra) readSecret() (proof, error) {
	s, err := e.conf.Credential.Secret()
	if err != nil {
		return proof{}, err
	}
	if s == "" {
		return proof{}, errors.New("it is empty")
	}
	return proof{id: digest(s), hide: s, open: func() (requester, error) {
		cred, err := confidential.NewCredFromSecret(s)
		if err != nil {
			return nil, errors.New("MSAL cannot use it")
		}
		return e.open(cred)
	}}, nil
}

// open makes the MSAL client of a credential that is sent to Entra. There is
// one, so that its endpoints are resolved once; only another credential needs
// another.
func (e *entra) open(cred confidential.Credential, more ...confidential.Option) (requester, error) {
	options := append([]confidential.Option{
		confidential.WithHTTPClient(tokenHTTP{e.http}),
		confidential.WithCache(noCache{}),
		confidential.WithInstanceDiscovery(!e.conf.Custom),
	}, more...)
	if e.conf.Custom {
		// MSAL_FORCE_REGION in the environment would send the credential to Microsoft.
		options = append(options, confidential.WithAzureRegion("DisableMsalForceRegion"))
	}
	if e.conf.CAE {
		options = append(options, confidential.WithClientCapabilities([]string{"CP1"}))
	}
	app, err := confidential.New(e.conf.Cloud.Authority+"/"+e.conf.TenantID, e.conf.ClientID, cred, options...)
	if err != nil {
		return nil, errors.New("Cloud.Authority and TenantID make no authority")
	}
	scopes := []string{e.conf.Cloud.Scope()}
	return func(ctx context.Context, claims string) (confidential.AuthResult, error) {
		if claims == "" {
			return app.AcquireTokenByCredential(ctx, scopes)
		}
		return app.AcquireTokenByCredential(ctx, scopes, confidential.WithClaims(claims))
	}, nil
}

// digest tells one credential from the next without keeping it.
func digest(parts ...string) string {
	h := sha256.New()
	for _, p := range parts {
		fmt.Fprintf(h, "%d:%s", len(p), p)
	}
	return string(h.Sum(nil))
}
