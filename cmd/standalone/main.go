// Command standalone is the whole relay in one process: a broker on disk, the
// ingest service, the worker and, unless it is given a real tenant, a simulated
// one.
package main

import (
	"context"
	"errors"
	"os"

	"changerelay/cmd/internal/boot"
	_ "changerelay/internal/ingest/expression" // the language of kind mapped: this is ingest too
)

// cli is the command line. Unlike the other commands', its configuration file is
// optional.
type cli struct {
	Config   string `short:"c" env:"CHANGERELAY_CONFIG" placeholder:"FILE" help:"Configuration file with real tenants; without one, a simulated tenant."`
	Data     string `default:"./data" placeholder:"DIR" help:"Folder of the broker's store and the simulated tenant; default ${default}."`
	NATS     string `name:"nats" default:"127.0.0.1:4222" placeholder:"ADDR" help:"Where the embedded broker listens; default ${default}."`
	Listen   string `placeholder:"ADDR" help:"Where webhooks are received; default :8080, or as configured."`
	Admin    string `placeholder:"ADDR" help:"Where metrics and health are served; default :8081, or as configured."`
	NoSample bool   `help:"Do not send the sample webhook to the simulated tenant."`
}

func (cli) Help() string {
	return `Stop it with Ctrl-C. Started again on the same folder, it has lost nothing.

Examples:

    go run ./cmd/standalone
    changerelay-standalone --data /var/lib/changerelay --no-sample
    changerelay-standalone --config changerelay.yaml
`
}

func main() {
	var c cli
	boot.Program{Name: "changerelay-standalone", About: "Run the whole relay in one process.", CLI: &c,
		Run: func(ctx context.Context) error {
			err := c.run(ctx, os.Stdout)
			if ctx.Err() != nil && errors.Is(err, context.Canceled) {
				return nil // stopped while it started
			}
			return err
		},
	}.Main()
}
