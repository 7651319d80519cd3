package deploy

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The units are ones that systemd takes, and its own judgement of their exposure, from 0
// to 10, is at most 1.5.
func TestUnits(t *testing.T) {
	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Skip("SKIPPED: there is no systemd-analyze")
	}
	for _, unit := range []string{"changerelay-ingest", "changerelay-worker"} {
		text := string(read(t, "systemd/"+unit+".service"))
		program := "/usr/bin/" + unit
		if !strings.Contains(text, "ExecStart="+program+" ") {
			t.Errorf("%s does not start %s", unit, program)
		}
		// verify looks for the programs; those are not on this machine.
		file := filepath.Join(t.TempDir(), unit+".service")
		if err := os.WriteFile(file, []byte(strings.ReplaceAll(text, program, "/bin/sh")), 0o644); err != nil {
			t.Fatal(err)
		}
		if out, err := exec.Command(analyze, "verify", "--man=no", file).CombinedOutput(); err != nil || len(out) > 0 {
			t.Errorf("%s: %v %s", unit, err, out)
		}
		if out, err := exec.Command(analyze, "security", "--offline=true", "--threshold=15", file).CombinedOutput(); err != nil {
			t.Errorf("%s: %v %s", unit, err, out)
		}
	}
}
