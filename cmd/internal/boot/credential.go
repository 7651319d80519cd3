package boot

import "os"

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

// FederatedTokenFile is the variable that AKS's workload identity webhook sets.
const FederatedTokenFile = "AZURE_FEDERATED_TOKEN_FILE"

// Path is the token's file; "" if nobody says which.
func (f FederatedToken) Path() string {
	if f.File != "" {
		return f.File
	}
	return os.Getenv(FederatedTokenFile)
}

// Files are those that the tenant's entry names, or leads to; some may be "".
func (t Tenant) Files() []string {
	list := []string{t.CAFile, t.ClientSecret.File}
	if c := t.Certificate; c != nil {
		list = append(list, c.File, c.Password.File)
	}
	if t.FederatedToken != nil {
		list = append(list, t.FederatedToken.Path())
	}
	return list
}

// A ManagedIdentity is one that Azure gives to the machine.
type ManagedIdentity struct {
	ClientID string `yaml:"client_id"` // "": the system-assigned one
}
