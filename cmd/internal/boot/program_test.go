package boot

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

type ingestCLI struct {
	Flags
}

func (ingestCLI) Help() string {
	return "Examples:\n\n  changerelay-ingest --config relay.yaml\n"
}

type toolCLI struct {
	Greet greet `cmd:"" help:"Greet somebody."`
}

type greet struct {
	Name string `arg:"" help:"Whom."`
}

func (g greet) Run(ctx context.Context, out io.Writer) error {
	_, err := fmt.Fprintf(out, "hello %s\n", g.Name)
	return errors.Join(err, ctx.Err())
}

func ingestProgram(run func(*ingestCLI) error) Program {
	cli := new(ingestCLI)
	return Program{
		Name:  "changerelay-ingest",
		About: "Takes webhooks and publishes events.",
		CLI:   cli,
		Run:   func(context.Context) error { return run(cli) },
	}
}

func execute(p Program, args ...string) (code int, stdout, stderr string) {
	var out, errs strings.Builder
	code = p.Exec(args, &out, &errs)
	return code, out.String(), errs.String()
}

func TestExitCodes(t *testing.T) {
	t.Setenv("CHANGERELAY_CONFIG", "")
	tool := Program{Name: "relayctl", CLI: new(toolCLI)}
	for _, c := range []struct {
		name   string
		p      Program
		args   []string
		code   int
		stdout string
		stderr string
	}{
		{"fine", ingestProgram(func(*ingestCLI) error { return nil }), nil, 0, "", ""},
		{"failure", ingestProgram(func(*ingestCLI) error { return errors.New("opening ledger: no route") }), nil, 1, "", "changerelay-ingest: opening ledger: no route\n"},
		{"two lines", ingestProgram(func(*ingestCLI) error { return errors.Join(io.EOF, io.EOF) }), nil, 1, "", "changerelay-ingest: EOF\nchangerelay-ingest: EOF\n"},
		{"unknown flag", ingestProgram(nil), []string{"--confg", "x"}, 2, "", "changerelay-ingest: unknown flag --confg, did you mean \"--config\"? (see changerelay-ingest --help)\n"},
		{"stray argument", ingestProgram(nil), []string{"x"}, 2, "", "changerelay-ingest: unexpected argument x (see changerelay-ingest --help)\n"},
		{"version", ingestProgram(nil), []string{"--version"}, 0, "changerelay-ingest " + Version() + "\n", ""},
		{"subcommand", tool, []string{"greet", "Ada"}, 0, "hello Ada\n", ""},
		{"no subcommand", tool, nil, 2, "", "relayctl: expected \"greet\" (see relayctl --help)\n"},
		{"flag before the command", tool, []string{"--loud", "greet"}, 2, "", "relayctl: unknown flag --loud (flags follow the command: relayctl COMMAND --flag; see relayctl --help)\n"},
		{"unknown flag of a command", tool, []string{"greet", "--loud", "Ada"}, 2, "", "relayctl: unknown flag --loud (see relayctl greet --help)\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			code, stdout, stderr := execute(c.p, c.args...)
			if code != c.code || stdout != c.stdout || stderr != c.stderr {
				t.Errorf("%d\n%s\n%s\nwant %d\n%s\n%s", code, stdout, stderr, c.code, c.stdout, c.stderr)
			}
		})
	}
}

func TestHelp(t *testing.T) {
	t.Setenv("COLUMNS", "80")
	code, stdout, stderr := execute(ingestProgram(nil), "--help")
	want := `Usage: changerelay-ingest [flags]

Takes webhooks and publishes events.

Examples:

    changerelay-ingest --config relay.yaml

Flags:
  -h, --help           Show context-sensitive help.
  -c, --config=FILE    Configuration file; default
                       /etc/changerelay/changerelay.yaml ($CHANGERELAY_CONFIG).
      --version        Print the version and exit.
`
	if code != 0 || stdout != want || stderr != "" {
		t.Errorf("%d\n%s\n%s", code, stdout, stderr)
	}
	if code, stdout, _ := execute(Program{Name: "relayctl", CLI: new(toolCLI)}, "greet", "--help"); code != 0 || !strings.Contains(stdout, "Greet somebody.") {
		t.Errorf("help of a subcommand: %d\n%s", code, stdout)
	}
}

// The mistakes in a configuration come out a line each, after the name.
func TestConfigMistakesOnStderr(t *testing.T) {
	file := filepath.Join(t.TempDir(), "relay.yaml")
	if err := os.WriteFile(file, []byte("log: {level: 5}\nnats: {x: 1, replicas: x}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	p := ingestProgram(func(c *ingestCLI) error { _, err := c.Load(); return err })
	code, _, stderr := execute(p, "-c", file)
	if code != 1 || strings.Count(stderr, "changerelay-ingest: "+file+":") != 3 {
		t.Errorf("%d\n%s", code, stderr)
	}
}
