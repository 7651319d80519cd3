package main

import (
	"context"
	"crypto/tls"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"net"
	"os"

	"changerelay/internal/graphsim"
	"changerelay/internal/graphsim/control"
)

//go:embed example.yaml
var example []byte

// run serves until ctx ends.
func (c *cli) run(ctx context.Context, out io.Writer) error {
	if c.Example {
		_, err := out.Write(example)
		return err
	}
	sc, err := c.scenario()
	if err != nil {
		return err
	}
	sim, err := c.start(sc)
	if err != nil {
		return err
	}
	defer func() { _ = sim.Close() }()
	admin, err := c.serveAdmin(sim, func() { sim.Reset(); sc.Apply(sim) })
	if err != nil {
		return err
	}
	defer admin.close()
	banner{sim: sim, sc: sc, ca: c.ca(), admin: admin.addr}.print(out)
	<-ctx.Done()
	admin.close()
	if err := sim.Close(); err != nil {
		return err
	}
	fmt.Fprintln(out, "stopped")
	return nil
}

// start makes the simulator, and serves only when the CA file is there to trust it by.
func (c *cli) start(sc *control.Scenario) (*graphsim.Sim, error) {
	o := graphsim.Options{Addr: c.Listen, File: c.State, Journal: c.Journal, Seed: sc.Seed, Hosts: c.Host}
	if (c.Cert == "") != (c.Key == "") {
		return nil, errors.New("--cert and --key go together")
	}
	if c.Cert != "" {
		pair, err := tls.LoadX509KeyPair(c.Cert, c.Key)
		if err != nil {
			return nil, fmt.Errorf("loading --cert and --key: %w", err)
		}
		o.Certificate = &pair
	}
	sim, err := graphsim.New(o)
	if err != nil {
		return nil, err
	}
	sc.Apply(sim)
	if err := sim.Start(); err != nil {
		return nil, fmt.Errorf("%w (choose another --listen)", err)
	}
	if c.Cert == "" { // not before: the file may be that of one that runs
		if err := os.WriteFile(c.CA, sim.CA(), 0o644); err != nil { // #nosec G306 -- a certificate, for others to read
			_ = sim.Close()
			return nil, fmt.Errorf("writing --ca: %w", err)
		}
	}
	return sim, nil
}

// ca is the file that clients trust.
func (c *cli) ca() string {
	if c.Cert != "" {
		return c.Cert
	}
	return c.CA
}

type adminServer struct {
	addr  string // empty: there is none
	close func()
}

func (c *cli) serveAdmin(sim *graphsim.Sim, reset func()) (adminServer, error) {
	if c.Admin == "" {
		return adminServer{close: func() {}}, nil
	}
	ln, err := net.Listen("tcp", c.Admin)
	if err != nil {
		return adminServer{}, fmt.Errorf("starting the admin API: %w (choose another --admin)", err)
	}
	server := control.Server(control.Handler(sim, reset))
	done := make(chan struct{})
	go func() { defer close(done); _ = server.Serve(ln) }()
	return adminServer{ln.Addr().String(), func() { _ = server.Close(); <-done }}, nil
}
