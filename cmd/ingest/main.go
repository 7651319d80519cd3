// Command ingest receives webhooks, verifies them and publishes them to the
// broker.
package main

import (
	"context"
	"errors"
	"os"
	"runtime"
	"runtime/debug"

	"changerelay/cmd/internal/boot"
	_ "changerelay/internal/ingest/expression" // the language of kind mapped: without it nothing of such a source is decoded
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
	// Many of these run beside each other, mostly idle: memory counts.
	runtime.MemProfileRate = 0 // nobody can ask for the profile of allocations, whose table takes a megabyte
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(50) // two megabytes, for some 4 % of the CPU under load
	}
	var c cli
	boot.Program{Name: "changerelay-ingest", About: "Receive signed webhooks and publish them as change events.", CLI: &c,
		Run: func(ctx context.Context) error {
			log := newLogBuffer(os.Stdout)
			return errors.Join(c.Serve(ctx, relay.Ingest, "changerelay-ingest", log, nil), log.Flush())
		},
	}.Main()
}
