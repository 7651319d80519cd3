package main

import (
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"changerelay/internal/events"
	"changerelay/internal/stream"
)

// terminal opens a pseudo-terminal on which somebody has typed.
func terminal(t *testing.T, typed string) *os.File {
	t.Helper()
	here, there := pair(t)
	if _, err := here.WriteString(typed); err != nil {
		t.Fatal(err)
	}
	return there
}

// pair opens a pseudo-terminal: the person's end, and the program's.
func pair(t *testing.T) (here, there *os.File) {
	t.Helper()
	here, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Skip("there are no terminals here: ", err)
	}
	t.Cleanup(func() { here.Close() })
	var n, unlock uint32
	for request, arg := range map[uintptr]*uint32{syscall.TIOCGPTN: &n, syscall.TIOCSPTLCK: &unlock} {
		if _, _, no := syscall.Syscall(syscall.SYS_IOCTL, here.Fd(), request, uintptr(unsafe.Pointer(arg))); no != 0 {
			t.Fatal(no)
		}
	}
	there, err = os.OpenFile(fmt.Sprint("/dev/pts/", n), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { there.Close() })
	return here, there
}

func TestAPersonIsAsked(t *testing.T) {
	r := newRig(t)
	r.run("dead", "list") // sets the environment
	for i, c := range []struct {
		typed string
		left  uint64
	}{{"\n", 1}, {"n\n", 1}, {"yesterday\n", 1}, {"\x04", 1}, {"y\n", 0}, {"YES\n", 0}} {
		if r.stored(stream.Dead) == 0 {
			r.bury(event(t, fmt.Sprint("CHG", i), time.Now(), change(events.Remove, app1)), events.Refused, time.Now())
		}
		var out, stderr strings.Builder
		code := program(terminal(t, c.typed)).Exec([]string{"dead", "drop", "--all"}, &out, &stderr)
		if !strings.Contains(stderr.String(), "Drop it? [y/N] ") {
			t.Errorf("%q: not asked: %s", c.typed, stderr.String())
		}
		if left := r.stored(stream.Dead); left != c.left || code != int(c.left) {
			t.Errorf("%q: exit code %d, %d letters left, want %d\n%s", c.typed, code, left, c.left, stderr.String())
		}
	}
}

// Nobody sits at /dev/null, which is a device of characters, too.
func TestNobodyIsAsked(t *testing.T) {
	r := newRig(t)
	r.bury(event(t, "CHG1", time.Now(), change(events.Remove, app1)), events.Refused, time.Now())
	r.run("dead", "list")
	null, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	var out, stderr strings.Builder
	if code := program(null).Exec([]string{"dead", "drop", "1"}, &out, &stderr); code != 1 || !strings.Contains(stderr.String(), "nothing was done") {
		t.Errorf("%d: %s", code, stderr.String())
	}
}
