package deploy

import (
	"os/exec"
	"strings"
	"testing"
)

// What faces strangers has no code that calls Graph or asks for its tokens, where it is
// a file of its own.
func TestIngestHasNoGraph(t *testing.T) {
	has := func(program string) bool {
		out, err := exec.Command("go", "list", "-deps", "changerelay/cmd/"+program).Output()
		if err != nil {
			t.Fatal(err)
		}
		return strings.Contains(string(out), "changerelay/internal/graph\n") || strings.Contains(string(out), "microsoft-authentication-library-for-go")
	}
	if has("ingest") {
		t.Error("ingest's program has code that calls Graph")
	}
	if !has("worker") {
		t.Error("the worker has none: this test looks for the wrong packages")
	}
}
