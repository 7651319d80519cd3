package main

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// Without both, a person's cluster would be filled because it happens to be the current one.
func TestSkipped(t *testing.T) {
	for _, env := range []string{"KUBECONFIG= IMPORT=", "KUBECONFIG=somebodys IMPORT=", "KUBECONFIG= IMPORT=true"} {
		c := exec.Command("go", "run", ".", "-kubectl=false", "-helm=false")
		c.Env = append(os.Environ(), strings.Fields(env)...)
		out, err := c.CombinedOutput()
		if err != nil || !strings.HasPrefix(string(out), "SKIPPED e2e: ") {
			t.Errorf("%s: %v, %s", env, err, out)
		}
	}
}
