package main

import (
	"context"
	"fmt"
	"io"

	"github.com/alecthomas/kong"
)

// completion prints what a shell needs to complete relayctl's command line. The
// two libraries that do so for kong had their last release in 2022 and 2023.
type completion struct {
	Shell string `arg:"" enum:"bash,zsh,fish" help:"bash, zsh or fish."`
}

func (completion) Help() string {
	return `Names of tenants and sources are completed from the configuration file: that of
--config on the line, of CHANGERELAY_CONFIG, or the usual one.

Examples:

    relayctl completion bash > /etc/bash_completion.d/relayctl
    source <(relayctl completion zsh)
    relayctl completion fish > ~/.config/fish/completions/relayctl.fish
`
}

// Each script asks "relayctl complete" with the words up to the cursor, and takes
// files where it has nothing to say.
var scripts = map[string]string{
	"bash": `_relayctl() {
    local IFS=$'\n'
    COMPREPLY=($("$1" complete -- "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
}
complete -o bashdefault -o default -F _relayctl relayctl
`,
	"zsh": `#compdef relayctl
_relayctl() {
    local -a found
    found=("${(@f)$("${words[1]}" complete -- "${(@)words[2,CURRENT]}" 2>/dev/null)}")
    if [[ -n "$found[1]" ]]; then compadd -- $found; else _files; fi
}
compdef _relayctl relayctl
`,
	"fish": `function __relayctl_complete
    set -l found (command relayctl complete -- (commandline -opc)[2..-1] (commandline -ct) 2>/dev/null)
    if test (count $found) -gt 0
        printf '%s\n' $found
    else
        __fish_complete_path (commandline -ct)
    end
end
complete -c relayctl -f -a '(__relayctl_complete)'
`,
}

// Run is called by the command line's parser.
func (c completion) Run(_ context.Context, out io.Writer) error {
	_, err := io.WriteString(out, scripts[c.Shell])
	return err
}

// complete prints what may stand at the end of a command line, one a line.
type complete struct {
	Words []string `arg:"" optional:"" passthrough:""`
}

// Run is called by the command line's parser.
func (c complete) Run(_ context.Context, k *kong.Context, out io.Writer) error {
	words := c.Words
	if len(words) > 0 && words[0] == "--" {
		words = words[1:]
	}
	for _, w := range candidates(k.Model.Node, words) {
		fmt.Fprintln(out, w)
	}
	return nil
}
