package control

import (
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"

	"changerelay/internal/graphsim"
)

// Apply adds the scenario to a simulator, which should be new or reset.
func (sc *Scenario) Apply(s *graphsim.Sim) {
	s.Set(sc.Knobs)
	for _, t := range sc.Tenants {
		t.apply(s)
	}
	for _, f := range sc.Faults {
		s.Fail(f)
	}
}

func (t *Tenant) apply(s *graphsim.Sim) {
	devices := make([]graphsim.Device, len(t.Devices))
	for i, d := range t.Devices {
		devices[i] = d.Device
	}
	first := t.Apps[0]
	s.AddTenant(graphsim.Tenant{ID: t.ID, ClientID: first.ClientID, ClientSecret: first.ClientSecret, Roles: first.Roles}, devices...)
	for _, a := range t.Apps {
		s.AddApp(t.ID, a.app())
	}
	for _, d := range t.Devices {
		for _, f := range d.Fates {
			s.SetFate(t.ID, d.ID, f.Item, f.Fate)
		}
		if len(d.Items) > 0 {
			s.PortalRemove(t.ID, d.ID, d.Items...)
		}
	}
	for _, r := range t.RunStates {
		s.AddRunState(t.ID, r)
	}
	for _, id := range t.DeletedItems {
		s.DeleteItem(t.ID, id)
	}
}

func (a *App) app() graphsim.App {
	out := graphsim.App{ClientID: a.ClientID, ClientSecret: a.ClientSecret, Roles: a.Roles, Certificates: a.certs, NoApproval: a.NoApproval}
	for _, f := range a.Federated {
		out.Federated = append(out.Federated, graphsim.Federated{Issuer: f.Issuer, Subject: f.Subject, Audience: f.Audience, Key: f.key})
	}
	return out
}

// keys reads the files that an app names.
func (d *decoder) keys(at string, a *App, read func(string) ([]byte, error)) {
	for i, name := range a.Certificates {
		cert, err := readPEM(name, read)
		if err == nil && cert.cert == nil {
			err = errors.New("the file has no certificate in PEM")
		}
		if err != nil {
			d.bad(fmt.Sprintf("%s.certificates[%d]", at, i), "%v", err)
			continue
		}
		a.certs = append(a.certs, cert.cert)
	}
	for i := range a.Federated {
		f := &a.Federated[i]
		where := fmt.Sprintf("%s.federated[%d]", at, i)
		if f.Issuer == "" || f.Subject == "" {
			d.bad(where, "needs issuer and subject")
		}
		if f.KeyFile == "" {
			continue
		}
		k, err := readPEM(f.KeyFile, read)
		if err != nil {
			d.bad(where+".key_file", "%v", err)
		}
		f.key = k.public
	}
}

type found struct {
	cert   *x509.Certificate
	public any
}

// readPEM takes a file's first certificate or public key.
func readPEM(name string, read func(string) ([]byte, error)) (found, error) {
	data, err := read(name)
	if err != nil {
		return found{}, fmt.Errorf("reading the file: %w", err)
	}
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		switch block.Type {
		case "CERTIFICATE":
			c, err := x509.ParseCertificate(block.Bytes)
			if err != nil {
				return found{}, errors.New("the file's certificate cannot be read")
			}
			return found{c, c.PublicKey}, nil
		case "PUBLIC KEY":
			k, err := x509.ParsePKIXPublicKey(block.Bytes)
			if err != nil {
				return found{}, errors.New("the file's public key cannot be read")
			}
			return found{public: k}, nil
		}
	}
	return found{}, errors.New("the file has neither a CERTIFICATE nor a PUBLIC KEY in PEM")
}
