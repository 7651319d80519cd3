package trial

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestDisks: a full disk refuses to be written, a freed one does not; what is on it
// outlives who wrote it; nobody outside sees it, and nothing is left of it.
func TestDisks(t *testing.T) {
	tr := &trial{Options: Options{Dir: t.TempDir(), Single: true, Say: t.Output()}}
	if err := tr.startDisks(t.Context()); err != nil {
		t.Fatal(err)
	}
	if tr.disks == nil {
		t.Skip("SKIPPED disks: neither root nor namespaces for users")
	}
	t.Cleanup(tr.disks.close)
	write := func() error {
		bin, args := tr.disks.inside("sh", "-c", `dd if=/dev/zero of="$1/new" bs=1024 count=1024 2>/dev/null`, "sh", tr.disks.dirs[0])
		return exec.Command(bin, args...).Run()
	}
	if err := write(); err != nil {
		t.Fatalf("an empty disk: %v", err)
	}
	if err := errors.Join(tr.disks.run(`mv "$1/new" "$1/old"`, 0), tr.disks.fill(0)); err != nil {
		t.Fatal(err)
	}
	if write() == nil {
		t.Error("a full disk takes a megabyte")
	}
	if err := tr.disks.free(0); err != nil {
		t.Fatal(err)
	}
	if err := write(); err != nil {
		t.Errorf("a freed disk: %v", err)
	}
	if err := tr.disks.run(`test -s "$1/old"`, 0); err != nil {
		t.Errorf("what was written is gone: %v", err)
	}
	mounts, err := os.ReadFile("/proc/self/mounts")
	if err != nil || strings.Contains(string(mounts), tr.Dir) {
		t.Errorf("the mount is seen outside: %v", err)
	}
	if left, _ := filepath.Glob(tr.disks.dirs[0] + "/*"); len(left) > 0 {
		t.Errorf("outside there is %q", left)
	}
}
