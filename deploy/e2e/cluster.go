package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// command runs a program and returns what it says. Its error has what it complains of.
func (t *trial) command(ctx context.Context, input, name string, args ...string) (string, error) {
	c := exec.CommandContext(ctx, name, args...)
	var out, complaints bytes.Buffer
	c.Stdin, c.Stdout, c.Stderr = strings.NewReader(input), &out, &complaints
	if err := c.Run(); err != nil {
		return strings.TrimSpace(out.String()), fmt.Errorf("%s %.100s: %w: %s", filepath.Base(name), strings.Join(args, " "), err, strings.TrimSpace(complaints.String()))
	}
	return strings.TrimSpace(out.String()), nil
}

func (t *trial) kube(ctx context.Context, args ...string) (string, error) {
	return t.command(ctx, "", t.kubectl, append([]string{"-n", t.namespace}, args...)...)
}

// apply sends objects to the server, and waits for nothing.
func (t *trial) apply(ctx context.Context, objects string, args ...string) (string, error) {
	return t.command(ctx, objects, t.kubectl, append([]string{"-n", t.namespace, "apply", "-f", "-"}, args...)...)
}

// helmDo runs a helm command that takes the chart and the trial's values.
func (t *trial) helmDo(ctx context.Context, verb string, args ...string) (string, error) {
	all := append([]string{verb, release, chart, "-n", t.namespace}, t.values...)
	return t.command(ctx, "", t.helm, append(all, args...)...)
}

// probe runs a command in the pod probe.
func (t *trial) probe(ctx context.Context, args ...string) (string, error) {
	return t.kube(ctx, append([]string{"exec", "probe", "--", "/probe"}, args...)...)
}

// A plan is what a load sends: so many events a second, at least so many in all, spread
// over devices by number.
type plan struct{ rate, first, devices, least int }

// A load is traffic that goes on until it is ended.
type load struct {
	input io.Closer
	done  chan error
	out   bytes.Buffer
	bad   bytes.Buffer
}

// startLoad returns when the first event is on its way.
func (t *trial) startLoad(ctx context.Context, p plan) (*load, error) {
	l := &load{done: make(chan error, 1)}
	c := exec.CommandContext(ctx, t.kubectl, "-n", t.namespace, "exec", "-i", "probe", "--", "/probe", "load",
		fmt.Sprintf("-rate=%d", p.rate), fmt.Sprintf("-device=%d", p.first), fmt.Sprintf("-devices=%d", p.devices), fmt.Sprintf("-least=%d", p.least))
	input, err := c.StdinPipe()
	if err != nil {
		return nil, err
	}
	output, err := c.StdoutPipe()
	if err != nil {
		return nil, err
	}
	l.input, c.Stderr = input, &l.bad
	if err := c.Start(); err != nil {
		return nil, err
	}
	begun := make([]byte, len("sending\n"))
	if _, err := io.ReadFull(output, begun); err != nil {
		return nil, fmt.Errorf("starting the load: %w: %s", c.Wait(), l.bad.String())
	}
	go func() {
		_, _ = io.Copy(&l.out, output)
		l.done <- c.Wait()
	}()
	return l, nil
}

// end stops the traffic and returns the judgement.
func (l *load) end() (string, error) {
	l.input.Close()
	err := <-l.done
	if err != nil {
		err = fmt.Errorf("%w: %s", err, strings.TrimSpace(l.bad.String()))
	}
	return strings.TrimSpace(l.out.String()), err
}

// until waits for a state of the cluster.
func until(ctx context.Context, what string, ok func() bool) error {
	for !ok() {
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting for %s: %w", what, ctx.Err())
		case <-time.After(time.Second):
		}
	}
	return nil
}
