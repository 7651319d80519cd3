package trial

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// programs are what a trial runs, by package.
var programs = map[string]string{
	"ingest": "./cmd/ingest", "worker": "./cmd/worker", "graphsim": "./cmd/graphsim",
	"nats-server": "github.com/nats-io/nats-server/v2", // the version that go.mod has
}

// build compiles them, with the mistakes that the trial is to find.
func (t *trial) build(ctx context.Context) error {
	out, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}").Output()
	if err != nil {
		return fmt.Errorf("finding the module's root: %w", err)
	}
	t.root = strings.TrimSpace(string(out))
	args := []string{"build", "-ldflags=-s -w"}
	if len(t.Broken) > 0 {
		overlay, err := t.overlay()
		if err != nil {
			return err
		}
		args = append(args, "-overlay", overlay)
	}
	dir := t.path("bin")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	t.bin = map[string]string{}
	for name, pkg := range programs {
		t.bin[name] = filepath.Join(dir, name)
		cmd := exec.CommandContext(ctx, "go", append(args, "-o", t.bin[name], pkg)...)
		cmd.Dir = t.root
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("building %s: %w\n%s", name, err, out)
		}
	}
	return nil
}

// overlay has the compiler read other files than the source's.
func (t *trial) overlay() (string, error) {
	replace := map[string]string{}
	for i, b := range t.Broken {
		file := filepath.Join(t.root, b.File)
		from := file
		if again, ok := replace[file]; ok {
			from = again
		}
		text, err := os.ReadFile(from)
		if err != nil {
			return "", err
		}
		if n := strings.Count(string(text), b.Old); n != 1 {
			return "", fmt.Errorf("%s has the text %d times, want once: %s", b.File, n, b.Old)
		}
		replace[file] = t.path(fmt.Sprintf("broken-%d.go", i))
		if err := os.WriteFile(replace[file], []byte(strings.Replace(string(text), b.Old, b.New, 1)), 0o600); err != nil {
			return "", err
		}
	}
	data, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", errors.Join(err)
	}
	path := t.path("overlay.json")
	return path, os.WriteFile(path, data, 0o600)
}
