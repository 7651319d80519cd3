package main

import (
	"cmp"
	"context"
	"fmt"
	"io"

	"changerelay/cmd/internal/boot"
	"changerelay/cmd/internal/conform"
)

// configs are the commands about the configuration file.
type configs struct {
	Lint   configLint   `cmd:"" help:"Print the mistakes in the file, or OK."`
	Schema configSchema `cmd:"" help:"Print the JSON Schema of the file."`
}

func (configs) Help() string {
	return `Examples:

    relayctl config lint changerelay.yaml
    relayctl config schema > changerelay.schema.json
`
}

// configLint reads the file as every command does, and holds it against the
// schema that editors have.
type configLint struct {
	boot.Flags
	File string `arg:"" optional:"" help:"Configuration file; that of --config if left out."`
}

func (configLint) Help() string {
	return `All mistakes are printed at once, each with its line and column. The secrets that
the file names are not read; relayctl doctor does that.

Examples:

    relayctl config lint
    relayctl config lint ./changerelay.yaml
`
}

// Run is called by the command line's parser.
func (c configLint) Run(_ context.Context, out io.Writer) error {
	file := cmp.Or(c.File, c.Config)
	conf, err := boot.Lint(file, conform.Check)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "OK: %s has %s and %s\n", file, count(len(conf.Tenants), "tenant"), count(len(conf.Sources), "source"))
	return err
}

// configSchema is for editors.
type configSchema struct{}

func (configSchema) Help() string {
	return `An editor with a YAML language server completes keys and shows mistakes when the
configuration begins with this line:

    # yaml-language-server: $schema=changerelay.schema.json

Examples:

    relayctl config schema > changerelay.schema.json
`
}

// Run is called by the command line's parser.
func (configSchema) Run(_ context.Context, out io.Writer) error {
	_, err := out.Write(boot.Schema())
	return err
}
