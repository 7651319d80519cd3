package boot

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
