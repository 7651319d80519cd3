package main

import (
	"cmp"
	"context"
	"fmt"
	"io"

	"changerelay/cmd/internal/boot"
)

// configs are the commands about the configuration file.
type configs struct {
	Check configCheck `cmd:"" help:"Print the mistakes in the file, or OK."`
}

func (configs) Help() string {
	return `Examples:

    relayctl config check changerelay.yaml
`
}

// configCheck reads the file as every command does.
type configCheck struct {
	boot.Flags
	File string `arg:"" optional:"" help:"Configuration file; that of --config if left out."`
}

func (configCheck) Help() string {
	return `The secrets that the file names are not read; relayctl doctor does that.

Examples:

    relayctl config check
    relayctl config check ./changerelay.yaml
`
}

// Run is called by the command line's parser.
func (c configCheck) Run(_ context.Context, out io.Writer) error {
	file := cmp.Or(c.File, c.Config)
	conf, err := boot.Load(file)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "OK: %s has %s and %s\n", file, count(len(conf.Tenants), "tenant"), count(len(conf.Sources), "source"))
	return err
}
