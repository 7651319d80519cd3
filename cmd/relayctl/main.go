// Command relayctl is the operators' tool: it sends change events, says what
// became of them, shows what the relay knows of a device, and finds what is
// wrong with an installation. Only send, dead replay, dead drop and tenants resume
// change anything; the last three say what they will do, ask, and are recorded.
package main

import (
	"io"
	"os"

	"changerelay/cmd/internal/boot"
	_ "changerelay/internal/ingest/expression" // the language of kind mapped: config lint and source check read expressions
)

type cli struct {
	Send       send           `cmd:"" help:"Sign a change event and send it to the relay."`
	Source     sources        `cmd:"" help:"List the sources, and try a captured request on one."`
	Status     status         `cmd:"" help:"Say what became of an event, or of a ticket."`
	Device     device         `cmd:"" help:"Show what the relay and Graph know of a device."`
	Tenants    tenantCommands `cmd:"" help:"Show the tenants: quota, pauses, due devices, dead letters; resume paused ones."`
	Dead       dead           `cmd:"" help:"Look at events that could not be applied, and at bodies that are none; replay and drop them."`
	Audit      audits         `cmd:"" help:"Show who did what by hand, and when."`
	Doctor     doctor         `cmd:"" help:"Check the configuration, the broker and the tenants."`
	Config     configs        `cmd:"" help:"Check the configuration file."`
	Completion completion     `cmd:"" help:"Print a script that has a shell complete commands, flags and names."`
	Complete   complete       `cmd:"" hidden:""`
}

func (cli) Help() string {
	return `Where is ticket CHG0031337? Ask status, by the ticket or by the id that send prints.

It reads the relay's configuration, of which --config or CHANGERELAY_CONFIG names the
file, and asks the broker, the relay or Graph. The exit code is 0 if all is well, 1
if something failed or a person must look, 2 if the command line is wrong, and 130
after an interrupt. What is printed for --output json goes to standard output, what
is said beside it to standard error.

Examples:

    relayctl send --tenant acme --device 0f9a6d1e-7b0a-4d0e-9a52-3c1b7f0a1d11 \
        --ticket CHG0031337 --remove a7d7a9a2-1c0e-4b7e-9f43-0d7b1a2c3d4e --wait
    relayctl status acme.0f9a6d1e-7b0a-4d0e-9a52-3c1b7f0a1d11.5jq0o8rq2m3k1v7c9b4d6e8f0g
    relayctl status --ticket CHG0031337
    relayctl device acme 0f9a6d1e-7b0a-4d0e-9a52-3c1b7f0a1d11
    relayctl tenants
    relayctl tenants resume acme
    relayctl dead list
    relayctl dead replay 12 --wait
    relayctl source check --source snow --request capture.txt
    relayctl doctor
`
}

// program is relayctl; its commands read "-" from in.
func program(in io.Reader) boot.Program {
	return boot.Program{
		Name:  "relayctl",
		About: "Operate changerelay: send and follow change events, look at devices, find faults.",
		CLI: &cli{Send: send{in: in}, Source: sources{Check: sourceCheck{in: in}},
			Tenants: tenantCommands{Resume: tenantResume{in: in}},
			Dead:    dead{Replay: deadReplay{hand: hand{in: in}}, Drop: deadDrop{hand{in: in}}}},
	}
}

func main() { program(os.Stdin).Main() }
