package trial

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// TestPower cuts the power of brokers: PROVE_POWER=1 asks for it, because it mounts
// disks, which takes root, loop devices and mkfs.ext4.
//
// A broker's store is on a file system in an image file. What a program has written
// and not synced is in the kernel's cache of that file system, and not in the image:
// a copy of the image is what a machine finds on its disk after its power failed at
// that moment. Brokers are started again on such copies.
func TestPower(t *testing.T) {
	if os.Getenv("PROVE_POWER") == "" {
		t.Skip("SKIPPED power: PROVE_POWER=1 mounts disks, as root")
	}
	for _, c := range []struct {
		name         string
		servers, cut int
		sync         string
		holds        bool // nothing acknowledged may be lost
	}{
		{"one server, sync_interval always", 1, 1, "always", true},
		{"one server, as NATS is by default", 1, 1, "2m", false},
		{"three servers, sync_interval always, all lose power", 3, 3, "always", true},
		{"three servers, as by default, all lose power", 3, 3, "2m", false},
		{"three servers, as by default, one loses power", 3, 1, "2m", false},
	} {
		t.Run(strings.ReplaceAll(c.name, " ", "_"), func(t *testing.T) {
			acked, found := powerCut(t, c.servers, c.cut, c.sync)
			t.Logf("| %s | %d | %d | %d |", c.name, acked, found, acked-found)
			if acked == 0 || c.holds && found < acked {
				t.Errorf("%d of %d acknowledged messages are left", found, acked)
			}
		})
	}
}

// powerCut publishes, cuts the power of some servers while it does, starts all
// again, and counts what is left of what was acknowledged by the cut.
func powerCut(t *testing.T, servers, cut int, sync string) (acked, found int) {
	tr := &trial{Options: Options{Dir: t.TempDir(), Single: servers == 1}}
	if err := tr.build(t.Context()); err != nil {
		t.Fatal(err)
	}
	for i := range servers {
		mount(t, tr.path(fmt.Sprintf("disk-%d", i)), tr.path(fmt.Sprintf("store-%d", i)), true)
	}
	t.Cleanup(tr.stop)
	if err := tr.startBrokers(t.Context()); err != nil {
		t.Fatal(err)
	}
	resync(t, tr, sync)
	nc, js, err := tr.connect()
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	declared := false
	for range tries { // a cluster that has just begun has no leader for a moment
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		_, err = js.CreateStream(ctx, jetstream.StreamConfig{Name: "CHANGES", Subjects: []string{"changes.>"}, Replicas: servers, Storage: jetstream.FileStorage})
		cancel()
		if declared = err == nil; declared {
			break
		}
	}
	if !declared {
		t.Fatal(err)
	}
	const before = 3000
	for acked < before {
		if _, err := js.Publish(t.Context(), fmt.Sprint("changes.", acked), []byte("an approved change")); err != nil {
			t.Fatal(err)
		}
		acked++
	}
	for i := range cut { // the machine is without power: what it had not written is gone
		tr.brokers[i].signal(19) // SIGSTOP: nothing more is written meanwhile
	}
	for i := range cut {
		image := tr.path(fmt.Sprintf("disk-%d", i))
		if err := exec.Command("cp", image, image+"-after").Run(); err != nil {
			t.Fatal(err)
		}
		tr.brokers[i].kill()
		store := tr.path(fmt.Sprintf("store-%d", i))
		unmount(t, store)
		mount(t, image+"-after", store, false)
	}
	for i := range cut {
		if err := tr.brokers[i].start(); err != nil {
			t.Fatal(err)
		}
	}
	return acked, remaining(t, tr, acked)
}

// remaining counts the messages of the first acked that are there, once the stream
// has a leader that has caught up; none if there is no stream any more.
func remaining(t *testing.T, tr *trial, acked int) (n int) {
	t.Helper()
	err := tr.until(t.Context(), "the stream", readyFor, func() bool {
		nc, js, err := tr.connect()
		if err != nil {
			return false
		}
		defer nc.Close()
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		s, err := js.Stream(ctx, "CHANGES")
		if err == jetstream.ErrStreamNotFound {
			return len(tr.brokers) == 1 || settled(ctx, js) // it was forgotten with its messages
		}
		if err != nil {
			return false
		}
		n = int(s.CachedInfo().State.Msgs)
		return true
	})
	if err != nil {
		t.Logf("%v: nothing is left", err)
		return 0
	}
	return min(n, acked)
}

func settled(ctx context.Context, js jetstream.JetStream) bool {
	_, err := js.AccountInfo(ctx)
	return err == nil
}

// resync starts the brokers again with that sync_interval.
func resync(t *testing.T, tr *trial, sync string) {
	t.Helper()
	for i, b := range tr.brokers {
		b.kill()
		file := tr.path(fmt.Sprintf("nats-%d.conf", i))
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		text = []byte(strings.Replace(string(text), "sync_interval: always", "sync_interval: "+sync, 1))
		if err := os.WriteFile(file, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, b := range tr.brokers {
		if err := b.start(); err != nil {
			t.Fatal(err)
		}
	}
	err := tr.until(t.Context(), "the brokers", readyFor, func() bool {
		nc, js, err := tr.connect()
		if err != nil {
			return false
		}
		defer nc.Close()
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		return settled(ctx, js)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// mount has the image's file system at dir; a fresh image is made first.
func mount(t *testing.T, image, dir string, fresh bool) {
	t.Helper()
	steps := [][]string{{"mount", "-o", "loop", image, dir}}
	if fresh {
		steps = append([][]string{{"truncate", "-s", "300M", image}, {"mkfs.ext4", "-q", image}}, steps...)
	}
	if err := os.MkdirAll(filepath.Clean(dir), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, s := range steps {
		if out, err := exec.Command(s[0], s[1:]...).CombinedOutput(); err != nil {
			t.Fatalf("%v: %v\n%s", s, err, out)
		}
	}
	t.Cleanup(func() { _ = exec.Command("umount", "-l", dir).Run() })
}

func unmount(t *testing.T, dir string) {
	t.Helper()
	if out, err := exec.Command("umount", "-l", dir).CombinedOutput(); err != nil {
		t.Fatalf("umount: %v\n%s", err, out)
	}
}
