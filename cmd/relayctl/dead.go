package main

import (
	"context"
	"fmt"

	"changerelay/cmd/internal/boot"
	"changerelay/internal/stream"
)

// dead are the commands about events that a person must look at.
type dead struct {
	List   deadList   `cmd:"" help:"List dead letters, oldest first."`
	Show   deadShow   `cmd:"" help:"Print a dead letter: why, and the bytes as they were received."`
	Replay deadReplay `cmd:"" help:"Publish the events of dead letters once more."`
	Drop   deadDrop   `cmd:"" help:"Forget dead letters."`
}

func (dead) Help() string {
	return `Events that were given up, and bodies of verified senders that are no events:
those belong to no tenant, and are listed with the source that sent them.

Examples:

    relayctl dead list --tenant acme --reason refused
    relayctl dead show 12
    relayctl dead replay 12 --wait
    relayctl dead drop --reason invalid --older 7d
`
}

// use opens the streams. Each question to them has a bound of its own.
func use(ctx context.Context, flags boot.Flags, f func(*broker, *stream.Streams) error) error {
	c, err := flags.Load()
	if err != nil {
		return err
	}
	b, err := connect(ctx, c)
	if err != nil {
		return err
	}
	defer b.close()
	opening, cancel := asking(ctx)
	s, err := b.streams(opening)
	cancel()
	if err != nil {
		return err
	}
	return f(b, s)
}

// noLetter is what is said of a number that no letter has.
func noLetter(number uint64) string {
	return fmt.Sprintf("there is no dead letter %d; relayctl dead list has those that there are", number)
}
