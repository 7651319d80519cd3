package standalone

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"changerelay/internal/graphsim"
)

// The simulated tenant. Its ids are made up.
const (
	DemoTenant   = "acme"
	demoTenantID = "a3c1b7f0-52de-4c0a-9b1e-7f3c1d529b01"
	demoClientID = "c4d0e9a5-23c1-4b7f-8a1d-112b7e1d5202"

	DemoDevice   = "0f9a6d1e-7b0a-4d0e-9a52-3c1b7f0a1d11" // for the first thing to try
	sampleDevice = "6f4c1f0e-6a0c-4b0f-9a1c-2f6f6f2d7a11" // of the sample webhook
	spareDevice  = "b2f7c9d4-18e6-4a53-8c0b-5d9e3a7f6c12"
)

// A Demo is a simulated tenant and, in its folder, a configuration file that
// makes the relay, and relayctl, work on it.
type Demo struct {
	Sim    *graphsim.Sim
	Config string // path of the configuration file
}

// StartDemo starts the simulated tenant, which keeps what its devices hold below
// dir, and writes the configuration. Secrets are made at the first start.
func StartDemo(dir, natsURL, ingestAddr, adminAddr string) (*Demo, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("making the data folder: %w", err)
	}
	secret, err := keepSecrets(dir)
	if err != nil {
		return nil, err
	}
	sim, err := graphsim.New(graphsim.Options{File: filepath.Join(dir, "graphsim.json")})
	if err != nil {
		return nil, fmt.Errorf("starting the simulated tenant: %w", err)
	}
	if err := sim.Start(); err != nil {
		return nil, fmt.Errorf("starting the simulated tenant: %w", err)
	}
	sim.AddTenant(graphsim.Tenant{ID: demoTenantID, ClientID: demoClientID, ClientSecret: secret},
		graphsim.Device{ID: DemoDevice, Name: "Ines's iPhone", Platform: "iOS"},
		graphsim.Device{ID: sampleDevice, Name: "Oren's iPhone", Platform: "iOS"},
		graphsim.Device{ID: spareDevice, Name: "Warehouse scanner 7", Platform: "Android"})
	d := &Demo{Sim: sim, Config: filepath.Join(dir, "changerelay.yaml")}
	text := fmt.Sprintf(demoConfig, natsURL, ingestAddr, adminAddr, demoTenantID, demoClientID, sim.URL(), sim.URL())
	err = errors.Join(
		os.WriteFile(filepath.Join(dir, "graphsim-ca.pem"), sim.CA(), 0o600),
		os.WriteFile(d.Config, []byte(text), 0o600))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("writing the demo's configuration: %w", err), sim.Close())
	}
	return d, nil
}

const demoConfig = `# Written by changerelay-standalone at each start: a simulated tenant. Copy it
# elsewhere to change it; docs/configuration.md explains each key.
nats: { url: %q, replicas: 1 }
ingest: { listen: %q }
admin: { listen: %q }
log: { format: text }
tenants:
  acme:
    tenant_id: %s
    client_id: %s
    client_secret: { file: secrets/acme }
    cloud: custom
    graph_url: %s
    authority_url: %s
    ca_file: graphsim-ca.pem
sources:
  desk:
    kind: cloudevents
    tenants: [acme]
    secrets: [{ file: secrets/desk }]
  servicenow:
    kind: servicenow
    tenants: [acme]
    secrets: [{ file: secrets/servicenow }]
`

// keepSecrets makes the demo's secrets where they are missing, and returns the
// tenant's.
func keepSecrets(dir string) (tenant string, err error) {
	dir = filepath.Join(dir, "secrets")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", fmt.Errorf("making the demo's secrets: %w", err)
	}
	for name, prefix := range map[string]string{"acme": "", "servicenow": "", "desk": "whsec_"} {
		path := filepath.Join(dir, name)
		b, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			key := make([]byte, 32)
			_, _ = rand.Read(key) // never fails
			b = []byte(prefix + base64.StdEncoding.EncodeToString(key))
			err = os.WriteFile(path, b, 0o600)
		}
		if err != nil {
			return "", fmt.Errorf("making the demo's secrets: %w", err)
		}
		if name == "acme" {
			tenant = string(b)
		}
	}
	return tenant, nil
}
