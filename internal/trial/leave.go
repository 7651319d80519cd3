package trial

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"changerelay/internal/proof"
)

// Leave writes what somebody needs who looks into a trial that has failed: the history
// (history.json), what was found and the story of the first violation's device
// (timeline.txt, with the seed), and the programs' logs.
func Leave(dir string, o Options, h proof.History, found []proof.Violation) error {
	f, err := os.Create(filepath.Join(dir, "history.json"))
	if err != nil {
		return fmt.Errorf("leaving the history: %w", err)
	}
	err = errors.Join(h.Write(f), f.Close())

	var s strings.Builder
	fmt.Fprintf(&s, "seed %d, %d events, %d faults, %d violations\n", h.Seed, o.Events, o.Faults, len(found))
	for _, v := range found[:min(len(found), 20)] {
		fmt.Fprintln(&s, v)
	}
	if len(found) > 0 {
		s.WriteString("\n" + h.Timeline(found[0]))
	}
	err = errors.Join(err, os.WriteFile(filepath.Join(dir, "timeline.txt"), []byte(s.String()), 0o600))

	logs, at := filepath.Glob(filepath.Join(o.Dir, "*.log"))
	for _, l := range logs {
		at = errors.Join(at, copyFile(filepath.Join(dir, filepath.Base(l)), l))
	}
	return errors.Join(err, at)
}

func copyFile(to, from string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }()
	out, err := os.Create(to)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}
