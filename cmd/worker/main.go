// Command worker folds stored events into one document a device, and tells Graph
// each device's whole set.
package main

import (
	"context"
	"os"
	"runtime"

	"changerelay/cmd/internal/boot"
	"changerelay/cmd/internal/tenants"
	"changerelay/internal/relay"
)

type cli struct{ boot.Flags }

func (cli) Help() string {
	return `Any number of workers may run side by side: each device is called by one of
them at a time, and one that is killed is taken over from.

Examples:

    changerelay-worker --config /etc/changerelay/changerelay.yaml
    CHANGERELAY_CONFIG=changerelay.yaml changerelay-worker
`
}

func main() {
	runtime.MemProfileRate = 0 // nobody can ask for the profile of allocations, whose table takes a megabyte
	var c cli
	boot.Program{Name: "changerelay-worker", About: "Turn stored change events into safe changeAssignments calls.", CLI: &c,
		Run: func(ctx context.Context) error {
			return c.Serve(ctx, relay.Worker, "changerelay-worker", os.Stdout, tenants.NewService)
		},
	}.Main()
}
