package boot

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
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
	l := Logger(Log{Format: "text", Level: "warn"}, &out)
	l.Info("unseen")
	l.Warn("seen", "n", 1)
	if s := out.String(); strings.Contains(s, "unseen") || !strings.Contains(s, "level=WARN msg=seen n=1") {
		t.Errorf("text log = %s", s)
	}
	out.Reset()
	Logger(Log{}, &out).Info("seen")
	if !strings.HasPrefix(out.String(), "{") {
		t.Errorf("json log = %s", out.String())
	}
}

// A slowHandler holds each request until it is let go.
type slowHandler struct{ entered, release chan struct{} }

func (h slowHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	close(h.entered)
	select {
	case <-h.release:
	case <-r.Context().Done():
	}
	fmt.Fprint(w, "done")
}

// serveSlow has one request under way when the context ends, and returns
// Serve's answer and the request's.
func serveSlow(t *testing.T, drain time.Duration, finish bool) (served, got error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	h := slowHandler{make(chan struct{}), make(chan struct{})}
	ctx, cancel := context.WithCancel(context.Background())
	errs, body := make(chan error, 1), make(chan error, 1)
	srv := &http.Server{Handler: h}
	srv.RegisterOnShutdown(func() {
		if finish {
			close(h.release)
		}
	})
	go func() { errs <- Serve(ctx, srv, l, drain, slog.New(slog.DiscardHandler)) }()
	go func() { body <- fetch("http://" + l.Addr().String()) }()
	<-h.entered
	cancel()
	return <-errs, <-body
}

func fetch(url string) error {
	res, err := http.Get(url)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	_, err = io.Copy(io.Discard, res.Body)
	return err
}

func TestServeDrains(t *testing.T) {
	served, got := serveSlow(t, time.Minute, true)
	if served != nil || got != nil {
		t.Errorf("Serve = %v, request = %v", served, got)
	}
}

func TestServeCutsOffWhatOutlastsDrain(t *testing.T) {
	served, got := serveSlow(t, time.Millisecond, false)
	if served == nil || !strings.Contains(served.Error(), "requests still under way after 1ms were cut off") {
		t.Errorf("Serve = %v", served)
	}
	if got == nil {
		t.Error("the request was answered")
	}
}

func TestServeReportsAFailedListener(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	err = Serve(context.Background(), &http.Server{}, l, time.Second, slog.New(slog.DiscardHandler))
	if err == nil || !strings.HasPrefix(err.Error(), "serving 127.0.0.1:") {
		t.Errorf("Serve = %v", err)
	}
}
