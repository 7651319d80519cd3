package main

import (
	"context"
	"fmt"
	"strings"
)

// shown bounds what is printed of an answer.
const shown = 14

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
