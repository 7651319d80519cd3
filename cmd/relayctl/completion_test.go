package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestMain lets the test binary be relayctl, for shells to call.
func TestMain(m *testing.M) {
	if os.Getenv("RELAYCTL_TEST_MAIN") != "" {
		main()
	}
	os.Exit(m.Run())
}

func TestComplete(t *testing.T) {
	b := newBench(t)
	other := b.write("other.yaml", "tenants:\n  initech: { tenant_id: initech.example, client_id: "+clientID+", client_secret: { file: graph } }\n")
	for _, c := range []struct{ line, want string }{
		{"de", "dead device"},
		{"dead ", "drop list replay show"},
		{"dead l", "list"},
		{"dead list --re", "--reason"},
		{"dead list --output ", "json text"},
		{"dead list --output=j", "--output=json"},
		{"dead list --output = j", "json"}, // as bash has it
		{"dead list --output =", "json text"},
		{"dead list -o j", "json"},
		{"dead list --tenant ", "acme globex"},
		{"dead list --tenant=g", "--tenant=globex"},
		{"device ", "acme globex"},
		{"device --no-graph g", "globex"},
		{"device --watch ac", "acme"},
		{"device acme ", ""},
		{"device --config " + other + " ", "initech"},
		{"device --config=" + other + " ", "initech"},
		{"device --config /nowhere ", ""},
		{"tenants acme gl", "globex"},
		{"tenants ", "acme globex list resume"},
		{"tenants --wat", "--watch"},
		{"tenants resume ", "acme globex"},
		{"tenants resume --wh", "--why"},
		{"source check --source s", "slack snow"},
		{"source check --request ", ""},
		{"completion ", "bash fish zsh"},
		{"doctor --str", "--strict"},
		{"doctor -- --str", ""},
		{"nothing ", "audit completion config dead device doctor send source status tenants"},
	} {
		words := strings.Split(c.line, " ")
		got := strings.Fields(runWith(t, "", append([]string{"complete", "--"}, words...)...).out)
		if !slices.Equal(got, strings.Fields(c.want)) {
			t.Errorf("%q: %q, want %q", c.line, got, c.want)
		}
	}
}

// A real bash completes with the script.
func TestCompletionInBash(t *testing.T) {
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("bash is not here")
	}
	b := newBench(t)
	dir := t.TempDir()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	script := "#!/bin/sh\nRELAYCTL_TEST_MAIN=1 exec " + self + " \"$@\"\n"
	if err := os.WriteFile(filepath.Join(dir, "relayctl"), []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ words, want string }{
		{"relayctl dev", "device"},
		{"relayctl device ''", "acme globex"},
		{"relayctl dead list --output = ''", "json text"},
		{"relayctl source check --source d", "desk"},
		{"relayctl device acme ''", ""},
	} {
		cmd := exec.Command(bash, "--norc", "-c", `source <(relayctl completion bash) && complete -p relayctl >&2 && COMP_WORDS=(`+c.words+`) && COMP_CWORD=$((${#COMP_WORDS[@]}-1)) && _relayctl relayctl && echo "${COMPREPLY[@]}"`)
		cmd.Env = append(os.Environ(), "PATH="+dir+":"+os.Getenv("PATH"), "CHANGERELAY_CONFIG="+b.config)
		out, err := cmd.Output()
		if err != nil || strings.TrimSpace(string(out)) != c.want {
			t.Errorf("%s: %q, %v; want %q", c.words, out, err, c.want)
		}
	}
}

// The scripts of shells that are not here are at least printed.
func TestCompletionScripts(t *testing.T) {
	for shell, want := range map[string]string{"bash": "complete -o bashdefault -o default -F _relayctl relayctl", "zsh": "compdef _relayctl relayctl", "fish": "complete -c relayctl"} {
		got := runWith(t, "", "completion", shell)
		if got.code != 0 || !strings.Contains(got.out, want) {
			t.Errorf("%s: %d %s", shell, got.code, got.out)
		}
		if path, err := exec.LookPath(shell); err == nil {
			cmd := exec.Command(path, "-n")
			cmd.Stdin = strings.NewReader(got.out)
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%s does not take the script: %v %s", shell, err, out)
			}
		}
	}
	runWith(t, "", "completion", "tcsh").fails(t, 2, "must be one of")
}
