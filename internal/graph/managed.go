package graph

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/confidential"
	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/managedidentity"
)

// A ManagedIdentity is an identity that Azure gives to the machine. Where its
// tokens come from (IMDS, App Service, Arc, Service Fabric, …) MSAL finds out
// from the environment. The token is of the identity's own tenant, whatever
// Config.TenantID says.
type ManagedIdentity struct {
	ClientID string // of a user-assigned identity; empty: the system-assigned one
	// Transport reaches the machine's own token endpoint, which is plain HTTP.
	// By default it uses no proxy: the endpoint hands tokens to whoever asks.
	// Service Fabric needs an *http.Transport.
	Transport http.RoundTripper
}

func (e *entra) readManaged() (proof, error) {
	return proof{open: func() (requester, error) {
		m := e.conf.Credential.ManagedIdentity
		var id managedidentity.ID = managedidentity.SystemAssigned()
		if m.ClientID != "" {
			id = managedidentity.UserAssignedClientID(m.ClientID)
		}
		app, err := managedidentity.New(id, managedidentity.WithHTTPClient(m.client()), managedidentity.WithRetryPolicyDisabled())
		if err != nil {
			return nil, noIdentity(m.ClientID)
		}
		return func(ctx context.Context, _ string) (confidential.AuthResult, error) {
			// Claims are not sent. They make MSAL pass by its cache, which all
			// identities of the process share and which cannot be emptied.
			return app.AcquireToken(ctx, e.conf.Cloud.Scope(), managedidentity.WithClaims("{}"))
		}, nil
	}}, nil
}

// noIdentity does not quote MSAL, which names endpoints from the environment.
func noIdentity(clientID string) error {
	source, err := managedidentity.GetSource()
	if err != nil {
		return errors.New("the environment names no source of managed identities")
	}
	if clientID != "" {
		return fmt.Errorf("%s has no user-assigned identity by client id, or is set up in part; use the system-assigned one", source)
	}
	return fmt.Errorf("%s is set up in part; look at its variables in the environment", source)
}

// client passes no token request through a proxy, and follows no redirect.
func (m *ManagedIdentity) client() *managedHTTP {
	t := m.Transport
	if t == nil {
		own := NewTransport()
		own.Proxy = nil
		t = own
	}
	return &managedHTTP{&http.Client{Transport: t, CheckRedirect: refuseRedirect}}
}

// managedHTTP bounds replies. Unlike tokenHTTP it takes plain HTTP, which is
// what a machine speaks with itself.
type managedHTTP struct{ *http.Client }

func (h *managedHTTP) Do(req *http.Request) (*http.Response, error) {
	return bounded(h.Client.Do(req)) // #nosec G704 -- the machine's own endpoint; MSAL says where, no request does
}

// ConfigureClient lets MSAL pin Service Fabric's certificate.
func (h *managedHTTP) ConfigureClient(augment func(*http.Client) (*http.Client, error)) error {
	c, err := augment(h.Client)
	if err == nil {
		h.Client = c
	}
	return err
}
