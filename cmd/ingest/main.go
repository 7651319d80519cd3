// Command ingest receives webhooks, verifies them and publishes them to the
// broker.
package main

import (
	"context"
	"os"

	"changerelay/cmd/internal/boot"
	"changerelay/internal/relay"
)

type cli struct{ boot.Flags }

func (cli) Help() string {
	return `It answers 202 only after the broker has stored the event. Any number of
ingest processes may run side by side.

Examples:

    changerelay-ingest --config /etc/changerelay/changerelay.yaml
    CHANGERELAY_CONFIG=changerelay.yaml changerelay-ingest
`
}

func main() {
	var c cli
	boot.Program{Name: "changerelay-ingest", About: "Receive signed webhooks and publish them as change events.", CLI: &c,
		Run: func(ctx context.Context) error {
			return c.Serve(ctx, relay.Ingest, "changerelay-ingest", os.Stdout)
		},
	}.Main()
}
