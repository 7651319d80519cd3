package tenants

import (
	"errors"

	"changerelay/cmd/internal/boot"
	"changerelay/internal/graph"
)

// credential is how a tenant's application proves itself. Files are read when a
// token is needed.
func credential(t boot.Tenant) graph.Credential {
	switch {
	case t.Certificate != nil:
		return graph.Credential{Certificate: certificate(*t.Certificate)}
	case t.FederatedToken != nil:
		return graph.Credential{FederatedToken: func() (string, error) { return federatedToken(*t.FederatedToken) }}
	case t.ManagedIdentity != nil:
		return graph.Credential{ManagedIdentity: &graph.ManagedIdentity{ClientID: t.ManagedIdentity.ClientID}}
	}
	return graph.Credential{Secret: t.ClientSecret.Read}
}

func certificate(c boot.AppCertificate) *graph.Certificate {
	g := &graph.Certificate{Read: func() ([]byte, error) { return boot.ReadCertificates(c.File) }}
	if !c.Password.IsZero() {
		g.Password = c.Password.Read
	}
	return g
}

// federatedToken is called for each token request: Kubernetes replaces the file.
func federatedToken(t boot.FederatedToken) (string, error) {
	path := t.Path()
	if path == "" {
		return "", errors.New("no file is given and " + boot.FederatedTokenFile + " is not set; set federated_token.file, or label the pod azure.workload.identity/use")
	}
	return boot.Secret{File: path}.Read()
}
