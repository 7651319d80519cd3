package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

var (
	failed = regexp.MustCompile(`(?m)^--- FAIL: (\S+)`)
	passed = regexp.MustCompile(`(?m)^--- PASS: (\S+) \((\S+)\)$`)
)

// measure runs the tests as they are, which must pass, to learn how long they
// take, and which are slow.
func (b *bench) measure(ctx context.Context, spare time.Duration) error {
	src, err := os.ReadFile(b.file)
	if err != nil {
		return fmt.Errorf("reading what to mutate: %w", err)
	}
	bin, _, err := b.build(ctx, "itself", string(src))
	if err != nil {
		return err
	}
	b.limit = mostWait
	r, err := b.run(ctx, bin, "-test.skip", b.but(), "-test.v")
	if err != nil {
		return err
	}
	tests := passed.FindAllStringSubmatch(r.said, -1)
	if r.end != survived || tests == nil {
		return fmt.Errorf("without a mistake, %d tests that need no broker pass, and the others are %s %s:\n%s", len(tests), r.end, r.by, r.said)
	}
	for _, t := range tests {
		if d, err := time.ParseDuration(t[2]); err == nil && d > slow {
			b.slow = append(b.slow, t[1])
		}
	}
	b.limit = spare + slower*r.took
	return nil
}

// but is the tests that are left out: as the flag says, and those named.
func (b *bench) but(tests ...string) string {
	all := make([]string, 0, len(tests)+1)
	for _, t := range tests {
		all = append(all, "^"+t+"$")
	}
	if b.skip != "" {
		all = append(all, b.skip)
	}
	return strings.Join(all, "|")
}

// A verdict is what tests made of a binary, in how much of a processor's time.
type verdict struct {
	end      end
	by, said string
	took     time.Duration
}

// run runs a binary until the first test fails. It is bound in memory, and in the
// processor's time, which does not depend on what else the machine does.
func (b *bench) run(ctx context.Context, bin string, args ...string) (verdict, error) {
	ctx, cancel := context.WithTimeout(ctx, mostWait)
	defer cancel()
	bounds := fmt.Sprintf(`ulimit -v %d && ulimit -t %.0f && exec "$0" "$@"`, mostRoom, max(1, b.limit.Seconds()))
	cmd := exec.CommandContext(ctx, "sh", append([]string{"-c", bounds, bin, "-test.failfast", "-test.timeout", "0"}, args...)...)
	cmd.Dir = filepath.Dir(b.file)
	cmd.Env = append(os.Environ(), "GOMAXPROCS=1")
	out, err := cmd.CombinedOutput()
	if errors.Is(ctx.Err(), context.Canceled) {
		return verdict{}, ctx.Err()
	}
	v := verdict{said: string(out)}
	var code *exec.ExitError
	if err != nil && !errors.As(err, &code) {
		return v, fmt.Errorf("running tests: %w", err)
	}
	v.took = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	switch test := failed.FindStringSubmatch(v.said); {
	case err == nil:
		v.end = survived
	case cmd.ProcessState.ExitCode() < 0: // by the kernel, for its time, or by us
		v.end = hung
	case test == nil:
		v.end, v.by = killed, "by a crash"
	default:
		v.end, v.by = killed, "by "+test[1]
	}
	return v, nil
}
