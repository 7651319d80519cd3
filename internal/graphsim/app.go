package graphsim

import (
	"crypto"
	"crypto/x509"
	"slices"
	"strings"
)

// App is an app registration with its service principal. A client proves to be it by the secret,
// or by an assertion. One without Certificates and Federated accepts any well-formed assertion
// about itself, whoever signed it: then only shape, subject, audience and times are checked.
type App struct {
	ClientID     string
	ClientSecret string // empty: only assertions are accepted
	Roles        []string
	Certificates []*x509.Certificate // assertions are signed by one of them
	Federated    []Federated         // or come from another issuer
	NoApproval   bool                // excluded from the approval policy
}

// Federated is a federated identity credential: whose tokens stand for the app.
type Federated struct {
	Issuer, Subject string
	Audience        string           // default "api://AzureADTokenExchange"
	Key             crypto.PublicKey // RSA or P-256; nil: the signature is not checked
}

// app is a registration and what was done to its tokens.
type app struct {
	App
	challenge challenge
}

// AddApp adds an app to a tenant, or changes it: tokens that it has keep their roles.
func (s *Sim) AddApp(tenantID string, a App) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.look()
	s.directory(tenantID).register(a)
}

func (t *tenant) register(a App) {
	if len(a.Roles) == 0 {
		a.Roles = []string{rolePost, roleRead}
	}
	a.Roles, a.Certificates = slices.Clone(a.Roles), slices.Clone(a.Certificates)
	a.Federated = slices.Clone(a.Federated)
	id := strings.ToLower(a.ClientID)
	if old := t.apps[id]; old != nil {
		old.App = a
		return
	}
	t.apps[id] = &app{App: a}
}

// SetSecret replaces an app's secret, and reports whether there is such an app. Tokens that it has stay good.
func (s *Sim) SetSecret(tenantID, clientID, secret string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.tenants[strings.ToLower(tenantID)]
	if t == nil || t.apps[strings.ToLower(clientID)] == nil {
		return false
	}
	t.apps[strings.ToLower(clientID)].ClientSecret = secret
	return true
}

// Apps are the client ids of a tenant, sorted.
func (s *Sim) Apps(tenantID string) (ids []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if t := s.tenants[strings.ToLower(tenantID)]; t != nil {
		for _, a := range t.apps {
			ids = append(ids, a.ClientID)
		}
	}
	slices.Sort(ids)
	return ids
}

// Tenants are the ids of all tenants, sorted.
func (s *Sim) Tenants() (ids []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id := range s.tenants {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}
