package boot

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"strings"

	"github.com/alecthomas/kong"
)

// Exit codes of every command; 130 is an end by signal.
const (
	exitOK      = 0
	exitFailure = 1
	exitUsage   = 2
)

// version is set by the linker; see the Makefile.
var version = ""

// A Program is one command. Its CLI is a kong grammar: a pointer to a struct
// of flags and subcommands, whose Help method, if it has one, gives the
// examples that --help prints (indented lines are kept as they are).
type Program struct {
	Name  string // as it is typed
	About string // one sentence
	CLI   any
	// Run does the work. When it is nil, the chosen subcommand's Run method
	// does: Run(context.Context, io.Writer) error, the writer being stdout.
	Run func(context.Context) error
}

// Flags are those that every command with a configuration file takes; embed
// them in its CLI.
type Flags struct {
	Config string `short:"c" env:"CHANGERELAY_CONFIG" default:"/etc/changerelay/changerelay.yaml" placeholder:"FILE" help:"Configuration file; default ${default}."`
}

// Load reads the configuration file that the flags name.
func (f Flags) Load() (*Config, error) { return Load(f.Config) }

// Main runs the program and exits the process. It is all that a main function
// does, and the only place where a main goroutine exits.
func (p Program) Main() { os.Exit(p.Exec(os.Args[1:], os.Stdout, os.Stderr)) }

// Exec is Main without the exit: it returns the code. A failure is written to
// stderr, each line of it after the program's name.
func (p Program) Exec(args []string, stdout, stderr io.Writer) int {
	k, exited, err := p.parser(stdout, stderr)
	if err != nil {
		return p.fail(stderr, exitFailure, fmt.Errorf("building the command line: %w", err))
	}
	parsed, err := k.Parse(args)
	if *exited {
		return exitOK // --help or --version was answered
	}
	if err != nil {
		return p.fail(stderr, exitUsage, fmt.Errorf("%w (%s)", err, p.hint(err)))
	}
	return p.run(parsed, stderr)
}

// hint is what to do about a command line that is wrong: read the help of the command
// that it got to, or put the flags after one.
func (p Program) hint(err error) string {
	name, more := p.Name, false
	if e := (*kong.ParseError)(nil); errors.As(err, &e) && e.Context != nil {
		node := e.Context.Model.Node
		for _, step := range e.Context.Path {
			if step.Command != nil {
				node = step.Command
				name += " " + node.Name
			}
		}
		more = len(node.Children) > 0 && node.DefaultCmd == nil && strings.Contains(err.Error(), "unknown flag")
	}
	if more {
		return fmt.Sprintf("flags follow the command: %s COMMAND --flag; see %s --help", name, name)
	}
	return fmt.Sprintf("see %s --help", name)
}

// parser builds the command line. kong would exit the process after --help;
// here it only says that it is done, and Exec returns to its caller.
func (p Program) parser(stdout, stderr io.Writer) (k *kong.Kong, exited *bool, err error) {
	exited = new(bool)
	k, err = kong.New(p.CLI,
		kong.Name(p.Name),
		kong.Description(p.About),
		kong.Writers(stdout, stderr),
		kong.BindTo(stdout, (*io.Writer)(nil)),
		kong.Exit(func(int) { *exited = true }),
		kong.Embed(&struct {
			Version kong.VersionFlag `help:"Print the version and exit."`
		}{}),
		kong.Vars{"version": p.Name + " " + Version()},
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
	)
	return k, exited, err
}

func (p Program) run(parsed *kong.Context, stderr io.Writer) int {
	ctx, stop := Context()
	defer stop()
	var err error
	if p.Run != nil {
		err = p.Run(ctx)
	} else {
		parsed.BindTo(ctx, (*context.Context)(nil))
		err = parsed.Run()
	}
	switch {
	case err == nil:
		return exitOK
	case ctx.Err() != nil && errors.Is(err, context.Canceled):
		return p.fail(stderr, interrupted, errors.New("interrupted"))
	}
	return p.fail(stderr, exitFailure, err)
}

func (p Program) fail(stderr io.Writer, code int, err error) int {
	for line := range strings.Lines(err.Error()) {
		fmt.Fprintf(stderr, "%s: %s\n", p.Name, strings.TrimRight(line, "\n"))
	}
	return code
}

// Version is what the build was stamped with, or the commit it was built from.
func Version() string {
	if version != "" {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				return s.Value
			}
		}
	}
	return "devel"
}
