// Command graphsim is a simulated Microsoft Graph and Entra tenant for testing clients of Intune's
// changeAssignments: docs/graphsim.md.
package main

import (
	"context"
	"os"

	"changerelay/cmd/internal/boot"
)

type cli struct {
	Listen   string   `default:"127.0.0.1:8443" placeholder:"ADDR" help:"Where Graph and Entra are simulated, over TLS; default ${default}."`
	Admin    string   `default:"127.0.0.1:8444" placeholder:"ADDR" help:"Where the admin API is served, without TLS and authentication; default ${default}. Empty: nowhere."`
	Scenario string   `short:"s" placeholder:"FILE" help:"Tenants, apps, devices, knobs and faults; without one, the example."`
	CA       string   `name:"ca" default:"graphsim-ca.pem" placeholder:"FILE" help:"Write the CA certificate that clients must trust; default ${default}."`
	Cert     string   `placeholder:"FILE" help:"Serve this certificate (PEM) in place of one of its own; clients trust whatever issued it. With --key."`
	Key      string   `placeholder:"FILE" help:"The private key of --cert (PEM)."`
	Host     []string `placeholder:"NAME" help:"One more name or address that the simulator's own certificate is good for."`
	State    string   `placeholder:"FILE" help:"Keep what devices hold, and the clock, across restarts."`
	Journal  int      `default:"100000" placeholder:"N" help:"Newest calls that the journal keeps; default ${default}."`
	Example  bool     `help:"Print the example scenario and exit."`
}

func (cli) Help() string {
	return `The example has one tenant with a phone, a tablet that is offline and a laptop.

Examples:

    graphsim
    graphsim --example > scenario.yaml
    graphsim --scenario scenario.yaml --listen 0.0.0.0:8443 --host graph.test
    curl -s http://127.0.0.1:8444/journal
    curl -s http://127.0.0.1:8444/faults -d '{"op":"post","status":503,"point":"after","times":2}'
    curl -s http://127.0.0.1:8444/clock -d '{"advance":"8h"}'
`
}

func main() {
	var c cli
	boot.Program{Name: "graphsim", About: "Simulate Microsoft Graph for clients of changeAssignments.", CLI: &c,
		Run: func(ctx context.Context) error { return c.run(ctx, os.Stdout) },
	}.Main()
}
