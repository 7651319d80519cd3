// Command tour plays a day of changerelay in two minutes, on this machine and
// nowhere else, and leaves it running to be looked at.
//
// It runs the programs that users run: ingest, a worker, the simulated Graph,
// a Prometheus that scrapes them with the chart's rules, and the broker that
// standalone embeds, which the day stops and starts again. (Standalone itself
// would take ingest and worker down with its broker, and nobody would see how
// they bear it.) Then it answers the five questions of whoever is on call, by
// the commands that the dashboards' panels have.
//
//	stage.go      the programs, from start to end
//	desk.go       the service desk that sends the tickets
//	day.go        what happens, in order
//	questions.go  the five questions
//
// Its test plays a short day and evaluates every panel of every dashboard on
// it. The relay's timings are shortened, or a lost reply alone would take
// longer than the day; everything else is as users have it.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"changerelay/cmd/internal/boot"
	"changerelay/internal/dashboard"
)

type cli struct {
	Bin        string `default:"bin" placeholder:"DIR" help:"Folder of the built programs; default ${default}."`
	Prometheus string `required:"" placeholder:"FILE" help:"The program prometheus."`
	Chart      string `default:"deploy/helm/changerelay" placeholder:"DIR" help:"Folder of the chart, with rules and dashboards; default ${default}."`
	Short      bool   `help:"Play a short day, for tests."`
	Stay       bool   `env:"TOUR_STAY" default:"true" negatable:"" help:"Stay until Ctrl-C after the day; default ${default}. TOUR_STAY=0 ends."`
	Pictures   string `placeholder:"DIR" help:"Draw the dashboards into this folder after the day."`
}

func (cli) Help() string {
	return `Run it by make tour, which builds what it needs.

Examples:

    make tour
    TOUR_STAY=0 make tour
    make pictures
`
}

func main() {
	var c cli
	boot.Program{Name: "tour", About: "Play a day of changerelay and say where to look.", CLI: &c,
		Run: func(ctx context.Context) error { return c.run(ctx, os.Stdout) },
	}.Main()
}

func (c *cli) run(ctx context.Context, out io.Writer) (err error) {
	dir, err := os.MkdirTemp("", "changerelay-tour-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	fmt.Fprintf(out, "A day of changerelay in two minutes. Everything runs on this machine, in %s; no real device is touched.\n\n", dir)
	s, err := c.start(ctx, dir)
	if err != nil {
		return err
	}
	defer s.end()
	began := time.Now()
	if err := (&day{s: s, out: out, short: c.Short, began: began}).play(ctx); err != nil {
		return fmt.Errorf("%w\n%s", err, s.lastWords())
	}
	if c.Pictures != "" {
		if err := c.draw(ctx, s, out, since(began)); err != nil {
			return err
		}
	}
	if !c.Stay {
		fmt.Fprintln(out, "\nIt is over, and nothing of it stays. Without TOUR_STAY=0 it goes on, to be looked at.")
		return nil
	}
	s.where(out)
	fmt.Fprintln(out, "\nIt goes on until Ctrl-C; nothing of it stays.")
	<-ctx.Done()
	return nil
}

// boards are the chart's dashboards.
func (c *cli) boards() ([]dashboard.Dashboard, error) {
	return dashboard.Read(filepath.Join(c.Chart, "dashboards"))
}
