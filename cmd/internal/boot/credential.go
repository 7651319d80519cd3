package boot

import (
	"errors"
	"os"

	"changerelay/internal/graph"
)

// An AppCertificate is the certificate of an app registration, with its key: PEM,
// or PKCS#12 with a password.
type AppCertificate struct {
	File     string `yaml:"file,file"`
	Password Secret `yaml:"password"`
}

// A FederatedToken is the token that Kubernetes projects into a pod.
type FederatedToken struct {
	File string `yaml:"file,file"` // "": as AKS's webhook says in the environment
}

// A ManagedIdentity is one that Azure gives to the machine.
type ManagedIdentity struct {
	ClientID string `yaml:"client_id"` // "": the system-assigned one
}

// federatedTokenFile is the variable that AKS's workload identity webhook sets.
const federatedTokenFile = "AZURE_FEDERATED_TOKEN_FILE"

// Credential is how the tenant's application proves itself. Files are read when
// a token is needed.
func (t Tenant) Credential() graph.Credential {
	switch {
	case t.Certificate != nil:
		return graph.Credential{Certificate: t.Certificate.graph()}
	case t.FederatedToken != nil:
		return graph.Credential{FederatedToken: t.FederatedToken.read}
	case t.ManagedIdentity != nil:
		return graph.Credential{ManagedIdentity: &graph.ManagedIdentity{ClientID: t.ManagedIdentity.ClientID}}
	}
	return graph.Credential{Secret: t.ClientSecret.Read}
}

func (c *AppCertificate) graph() *graph.Certificate {
	g := &graph.Certificate{Read: func() ([]byte, error) { return readFile(c.File, maxCertificates) }}
	if !c.Password.IsZero() {
		g.Password = c.Password.Read
	}
	return g
}

// read is called for each token request: Kubernetes replaces the file.
func (f *FederatedToken) read() (string, error) {
	path := f.File
	if path == "" {
		path = os.Getenv(federatedTokenFile)
	}
	if path == "" {
		return "", errors.New("no file is given and " + federatedTokenFile + " is not set; set federated_token.file, or label the pod azure.workload.identity/use")
	}
	return readSecret(path)
}
