package deploy

import (
	"os/exec"
	"strings"
	"testing"
)

// carries reports whether a program, where it is a file of its own, has any of the
// packages: those whose path begins so.
func carries(t *testing.T, program string, packages ...string) bool {
	t.Helper()
	out, err := exec.Command("go", "list", "-deps", "changerelay/cmd/"+program).Output()
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(out)) {
		for _, p := range packages {
			if path := strings.TrimSpace(line); path == p || strings.HasPrefix(path, p+"/") {
				return true
			}
		}
	}
	return false
}

// What faces strangers has no code that calls Graph or asks for its tokens, where it is
// a file of its own.
func TestIngestHasNoGraph(t *testing.T) {
	packages := []string{"changerelay/internal/graph", "github.com/AzureAD/microsoft-authentication-library-for-go"}
	if carries(t, "ingest", packages...) {
		t.Error("ingest's program has code that calls Graph")
	}
	if !carries(t, "worker", packages...) {
		t.Error("the worker has none: this test looks for the wrong packages")
	}
}

// A worker runs no expression and is to be small; what decodes or checks sources runs them.
func TestWorkerHasNoExpressions(t *testing.T) {
	if carries(t, "worker", "cel.dev/cel-go", "changerelay/internal/ingest/expression") {
		t.Error("the worker's program has the language of expressions: megabytes of memory for nothing")
	}
	for _, program := range []string{"ingest", "relayctl", "standalone"} {
		if !carries(t, program, "cel.dev/cel-go") || !carries(t, program, "changerelay/internal/ingest/expression") {
			t.Errorf("%s has no language of expressions: it could not decode for a source of kind mapped, or check one", program)
		}
	}
}
