package trial

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
)

// Disks are a file system for each broker's store, in memory, in a mount namespace
// that only the brokers and one quiet process, the keeper, are in. A disk outlives its
// broker's kill -9. The kernel unmounts all when the last of them is gone, however
// that came about: nobody else ever sees them, and nothing stays behind.
type disks struct {
	keeper *exec.Cmd
	stays  io.Closer // the keeper reads from it, and ends with it
	enter  []string  // runs what follows in the namespace
	dirs   []string
}

const (
	mountAll = `set -e; for d; do mount -t tmpfs -o mode=0700 trial "$d"; done; echo ready; exec cat >/dev/null`
	// A disk is full when it is as large as what it holds and a few pages: that takes no memory, as a file that fills it would.
	fillOne = `for n in 1 2 3 4 5 6 7 8; do used=$(df -kP "$1" | awk 'NR==2{print $3}') && mount -o "remount,size=$((used+64))k" "$1" && exit 0; done; exit 1`
	freeOne = `mount -o remount,size=50% "$1"`
)

// startDisks makes them where that can be had: as root, or where a user may have
// namespaces of its own. Elsewhere no disk is ever full.
func (t *trial) startDisks(context.Context) error {
	own, in := []string{"unshare", "--mount"}, []string{"--mount"}
	if os.Getuid() != 0 {
		own, in = append(own, "--user", "--map-root-user"), append(in, "--user", "--preserve-credentials")
	}
	var dirs []string
	for i := range t.servers() {
		dirs = append(dirs, t.path(fmt.Sprint("store-", i)))
		if err := os.MkdirAll(dirs[i], 0o700); err != nil {
			return err
		}
	}
	d, err := newDisks(own, in, dirs)
	if err != nil {
		t.say("no disks of the brokers' own: %v; none will be full", err)
		return nil
	}
	t.disks = d
	return nil
}

func newDisks(own, in, dirs []string) (*disks, error) {
	args := append(append(own[1:], "sh", "-c", mountAll, "sh"), dirs...)
	d := &disks{keeper: exec.Command(own[0], args...), dirs: dirs}
	mortal(d.keeper)
	var said strings.Builder
	d.keeper.Stderr = &said
	stdin, err := d.keeper.StdinPipe()
	if err != nil {
		return nil, err
	}
	stdout, err := d.keeper.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := d.keeper.Start(); err != nil {
		return nil, err
	}
	d.stays = stdin
	if line, err := bufio.NewReader(stdout).ReadString('\n'); err != nil || line != "ready\n" {
		d.close()
		return nil, errors.New(strings.TrimSpace(said.String()))
	}
	d.enter = append(append([]string{"nsenter", "--target", fmt.Sprint(d.keeper.Process.Pid)}, in...), "--")
	if err := d.run("true", 0); err != nil {
		d.close()
		return nil, err
	}
	return d, nil
}

func (d *disks) fill(i int) error { return d.run(fillOne, i) }
func (d *disks) free(i int) error { return d.run(freeOne, i) }

func (d *disks) run(script string, i int) error {
	args := append(d.enter[1:len(d.enter):len(d.enter)], "sh", "-c", script, "sh", d.dirs[i])
	if out, err := exec.Command(d.enter[0], args...).CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, strings.TrimSpace(string(out)))
	}
	return nil
}

// inside is how a program is run that sees the disks.
func (d *disks) inside(bin string, args ...string) (string, []string) {
	if d == nil {
		return bin, args
	}
	return d.enter[0], append(append(d.enter[1:len(d.enter):len(d.enter)], bin), args...)
}

func (d *disks) close() {
	if d == nil {
		return
	}
	_ = d.stays.Close()
	_ = d.keeper.Process.Kill()
	_ = d.keeper.Wait()
}
