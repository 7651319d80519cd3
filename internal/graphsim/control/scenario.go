package control

import (
	"crypto"
	"crypto/x509"

	"changerelay/internal/graphsim"
)

// Scenario is what a simulated cloud has at its start.
type Scenario struct {
	Seed    uint64
	Knobs   graphsim.Knobs
	Tenants []Tenant
	Faults  []graphsim.Fault
}

// Tenant is a directory and its devices.
type Tenant struct {
	ID           string
	Apps         []App
	Devices      []Device
	RunStates    []graphsim.RunState
	DeletedItems []string
}

// App is a graphsim.App whose keys are files in PEM.
type App struct {
	ClientID, ClientSecret string
	Roles                  []string
	Certificates           []string
	Federated              []Federated
	NoApproval             bool
	certs                  []*x509.Certificate
}

// Federated is a graphsim.Federated whose key is a file in PEM: a certificate or a public key.
type Federated struct {
	Issuer, Subject, Audience, KeyFile string
	key                                crypto.PublicKey
}

// Device is a device with what it holds. Items are under removal since the start.
type Device struct {
	graphsim.Device
	Items []graphsim.Item
	Fates []Fate
}

// Fate is how the device ends with an item.
type Fate struct {
	Item string
	graphsim.Fate
}

// Load makes a scenario of the file's value, or says everything that is wrong with it. read is
// given the names of key files as they are written.
func Load(v Value, read func(name string) ([]byte, error)) (*Scenario, error) {
	sc := &Scenario{Knobs: graphsim.DefaultKnobs()}
	if v.Kind == Null {
		return sc, nil
	}
	d, err := decode(v, sc)
	if err != nil {
		return nil, err
	}
	d.check(sc, read)
	if err := d.err(); err != nil {
		return nil, err
	}
	return sc, nil
}
