package trial

import (
	"context"
	"encoding/json"
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
	dir := t.path("bin")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	t.bin = map[string]string{}
	for name, pkg := range programs {
		t.bin[name] = filepath.Join(dir, name)
		args, err := t.with(ctx, name)
		if err != nil {
			return err
		}
		cmd := exec.CommandContext(ctx, "go", append(args, "-o", t.bin[name], pkg)...)
		cmd.Dir = t.root
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("building %s: %w\n%s", name, err, out)
		}
	}
	return nil
}

// with is how a program is built: as users do, but for what the trial changes in it.
func (t *trial) with(ctx context.Context, name string) ([]string, error) {
	args := []string{"build", "-ldflags=-s -w"}
	changes := t.Broken
	if name == "nats-server" {
		if changes = nil; t.long() {
			var err error
			if changes, err = slowed(ctx); err != nil {
				return nil, err
			}
		}
	}
	if len(changes) == 0 {
		return args, nil
	}
	file, err := t.overlay(name, changes)
	if err != nil {
		return nil, err
	}
	return append(args, "-overlay", file), nil
}

// overlay has the compiler read other files than the source's.
func (t *trial) overlay(name string, changes []Breakage) (string, error) {
	files := map[string]string{}
	for i, b := range changes {
		file := b.File
		if !filepath.IsAbs(file) {
			file = filepath.Join(t.root, file)
		}
		from := file
		if again, ok := files[file]; ok {
			from = again
		}
		text, err := os.ReadFile(from)
		if err != nil {
			return "", err
		}
		if n := strings.Count(string(text), b.Old); n != 1 {
			return "", fmt.Errorf("%s has the text %d times, want once: %s", b.File, n, b.Old)
		}
		files[file] = t.path(fmt.Sprintf("%s-%d.go", name, i))
		if err := os.WriteFile(files[file], []byte(strings.Replace(string(text), b.Old, b.New, 1)), 0o600); err != nil {
			return "", err
		}
	}
	data, err := json.Marshal(map[string]any{"Replace": files})
	if err != nil {
		return "", err
	}
	path := t.path("overlay-" + name + ".json")
	return path, os.WriteFile(path, data, 0o600)
}
