package main

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

// ask answers a question of whoever is on call, by the command that the
// dashboards name.
func (d *day) ask(ctx context.Context, question string, args ...string) error {
	said, err := d.s.relayctl(ctx, args...)
	if err != nil {
		return fmt.Errorf("asking %q: relayctl %s: %w\n%s", question, strings.Join(args, " "), err, said)
	}
	fmt.Fprintf(d.out, "\n       %s\n       $ relayctl %s\n", question, strings.Join(args, " "))
	lines := strings.Split(strings.TrimRight(said, "\n"), "\n")
	for _, line := range lines[:min(shown, len(lines))] {
		fmt.Fprintln(d.out, "       "+line)
	}
	if len(lines) > shown {
		fmt.Fprintf(d.out, "       … %d lines more\n", len(lines)-shown)
	}
	fmt.Fprintln(d.out)
	return nil
}

// relayctl runs the operators' tool on this relay.
func (s *stage) relayctl(ctx context.Context, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, filepath.Join(s.bin, "relayctl"), args...)
	cmd.Env = append(os.Environ(), s.environment()...)
	out, err := cmd.CombinedOutput()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) && exit.ExitCode() == 1 {
		err = nil // it found something bad, and says so
	}
	return string(out), err
}

// paused reports whether the relay sends nothing to the tenant now.
func (s *stage) paused(ctx context.Context, tenant string) bool {
	said, err := s.relayctl(ctx, "tenants", tenant, "--output", "json")
	var state struct{ Paused *struct{} }
	return err == nil && json.Unmarshal([]byte(said), &state) == nil && state.Paused != nil
}

// environment is where relayctl finds the relay.
func (s *stage) environment() []string {
	return []string{"CHANGERELAY_CONFIG=" + s.file("changerelay.yaml"), "CHANGERELAY_URL=http://" + s.ingest}
}
