package boot

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
)

// TestMain lets the test binary stand in for a command that waits for signals.
func TestMain(m *testing.M) {
	if os.Getenv("BOOT_TEST_CHILD") != "" {
		child()
	}
	os.Exit(m.Run())
}

func child() {
	ctx, stop := Context()
	defer stop()
	fmt.Println("ready")
	<-ctx.Done()
	fmt.Println("draining")
	select {} // only the second signal ends it
}

func TestSecondSignalExits(t *testing.T) {
	for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), "BOOT_TEST_CHILD=1")
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		for _, want := range []string{"ready", "draining"} {
			if !lines.Scan() || lines.Text() != want {
				t.Errorf("%s: child says %q, want %q", sig, lines.Text(), want)
			}
			if err := cmd.Process.Signal(sig); err != nil {
				t.Error(err)
			}
		}
		var exit *exec.ExitError
		if err := cmd.Wait(); !errors.As(err, &exit) || exit.ExitCode() != interrupted {
			t.Errorf("%s: child ended with %v, want exit code %d", sig, err, interrupted)
		}
	}
}

func TestStopEndsTheContext(t *testing.T) {
	ctx, stop := Context()
	stop()
	stop()
	if ctx.Err() == nil {
		t.Error("the context goes on after stop")
	}
}

func TestLogger(t *testing.T) {
	var out strings.Builder
	l := (&Config{Log: Log{Format: "text", Level: "warn"}}).Logger(&out)
	l.Info("unseen")
	l.Warn("seen", "n", 1)
	if s := out.String(); strings.Contains(s, "unseen") || !strings.Contains(s, "level=WARN msg=seen n=1") {
		t.Errorf("text log = %s", s)
	}
	out.Reset()
	new(Config).Logger(&out).Info("seen")
	if !strings.HasPrefix(out.String(), "{") {
		t.Errorf("json log = %s", out.String())
	}
}
