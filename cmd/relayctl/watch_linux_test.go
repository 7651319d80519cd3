package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"changerelay/internal/await"
	"changerelay/internal/events"
	"changerelay/internal/ledger"
)

// A scene is a view that a test changes.
type scene []state

func (s scene) print(out io.Writer) error {
	t := newTable(out)
	for _, st := range s {
		t.row(st.name, st.is)
	}
	return t.flush()
}

func (s scene) objects() (all []any) {
	for _, st := range s {
		all = append(all, map[string]string{st.name: st.is})
	}
	return all
}

func (s scene) states() []state { return s }

// acts are what a watcher sees, look by look; after the last it is stopped.
func acts(t *testing.T, w *watcher, scenes ...scene) error {
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	return w.run(ctx, time.Nanosecond, func(context.Context) (view, error) {
		if len(scenes) == 0 {
			stop()
			return nil, ctx.Err()
		}
		s := scenes[0]
		scenes = scenes[1:]
		if s == nil {
			return nil, errors.New("the broker is\naway")
		}
		return s, nil
	})
}

func TestWatchPrintsChanges(t *testing.T) {
	var b bytes.Buffer
	story := []scene{{{"a", "1"}, {"b", "1"}, {"b", "2"}}, {{"a", "1"}, {"b", "1"}, {"b", "2"}}, {{"a", "2"}, {"b", "1"}}, nil, {{"a", "2"}}}
	if err := acts(t, watcherOf(&b, form{Output: "table"}), story...); err != nil {
		t.Error(err)
	}
	var got []string
	for line := range strings.Lines(b.String()) {
		at, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		if _, err := time.Parse(time.RFC3339, at); err != nil {
			t.Errorf("%q begins with no time", line)
		}
		got = append(got, rest)
	}
	want := "a: 1|b: 1|b (also): 2|a: 2|b (also): no more|error: the broker is away|a: no more|b: no more|a: 2|error: no more"
	if g := strings.Join(got, "|"); g != want {
		t.Errorf("printed %s\nwant %s", g, want)
	}
	b.Reset()
	if err := acts(t, watcherOf(&b, form{Output: "json"}), story...); err != nil {
		t.Error(err)
	}
	if g, want := b.String(), "{\"a\":\"1\"}\n{\"b\":\"1\"}\n{\"b\":\"2\"}\n{\"a\":\"2\"}\n{\"error\":\"the broker is\\naway\"}\n{\"a\":\"2\"}\n"; g != want {
		t.Errorf("printed %s\nwant %s", g, want)
	}
}

// The error is that of the last look that was finished.
func TestWatchEndsAsItsLastLook(t *testing.T) {
	if err := acts(t, watcherOf(io.Discard, form{}), scene{}, nil); err == nil || !strings.Contains(err.Error(), "away") {
		t.Errorf("after a failure: %v", err)
	}
	if err := acts(t, watcherOf(io.Discard, form{}), nil, scene{}); err != nil {
		t.Errorf("after it was over: %v", err)
	}
}

func TestWatchRedrawsATerminal(t *testing.T) {
	here, there := pair(t)
	w := watcherOf(there, form{Output: "table"})
	if !w.terminal {
		t.Error("it is not known for a terminal")
	}
	if err := acts(t, w, scene{{"a", "1"}}, scene{{"a", "1"}}, nil); err != nil && !strings.Contains(err.Error(), "away") {
		t.Error(err)
	}
	const screen = "\x1b[H\x1b[2Ja  1\r\n"
	want := screen + screen + "\x1b[H\x1b[2J\r\nthe broker is away\r\n"
	got := make([]byte, len(want))
	if _, err := io.ReadFull(here, got); err != nil || string(got) != want {
		t.Errorf("%v: %q, want %q", err, got, want)
	}
}

func TestWatchFlags(t *testing.T) {
	r := newRig(t)
	for args, want := range map[string]string{
		"--watch=x": "want a time such as 10s, at least 100ms, not \"x\"", "--watch=1ms": "at least 100ms", "--timeout=1s": "--timeout: is for --watch", "--watch --timeout=-1s": "--timeout: want a time above 0",
	} {
		for _, command := range []string{"doctor", "tenants", "device acme " + phone} {
			r.run(strings.Fields(command+" "+args)...).fails(t, 2, want)
		}
	}
	got := r.run("tenants", "--watch=100ms", "--timeout=1s")
	if got.code != 0 || strings.Count(got.out, "tenant acme: ") != 1 {
		t.Errorf("%d\n%s%s", got.code, got.out, got.stderr)
	}
	if got := r.run("doctor", "--watch", "--timeout=5s", "--output", "json"); got.code != 0 || !strings.Contains(got.out, `{"level":"ok","what":"configuration"`) {
		t.Errorf("%d\n%s%s", got.code, got.out, got.stderr)
	}
}

// A device is watched from the first event to the last outcome, and SIGINT ends
// the watch as it ends any command.
func TestWatchADevice(t *testing.T) {
	r := newRig(t)
	t.Setenv("CHANGERELAY_CONFIG", r.config)
	var out await.Log
	var stderr strings.Builder
	code := make(chan int, 1)
	go func() {
		code <- program(strings.NewReader("")).Exec([]string{"device", "acme", phone, "--watch=100ms", "--no-graph"}, &out, &stderr)
	}()
	await.State(t, "the first look", func() bool { return strings.Contains(out.String(), "next: done") })
	r.keep(r.fold(ledger.Device{}, event(t, "CHG0031338", time.Now(), change(events.Remove, app2)), 1))
	await.State(t, "the event", func() bool { return strings.Contains(out.String(), "event of CHG0031338: waiting") })
	r.work()
	if err := r.streams.Wake(t.Context(), events.Address{Tenant: "acme", Device: phone}); err != nil {
		t.Fatal(err)
	}
	await.State(t, "its end", func() bool {
		return strings.Contains(out.String(), "told remove, pending -, believed removed, Graph ?")
	})
	if err := syscall.Kill(os.Getpid(), syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if c := <-code; c != 130 || !strings.Contains(stderr.String(), "relayctl: interrupted") {
		t.Errorf("exit code %d, %s", c, stderr.String())
	}
}
