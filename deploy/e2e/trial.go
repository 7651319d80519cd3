package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"
)

// A trial is one run of all steps.
type trial struct {
	namespace, helm, kubectl, importer, only string
	keep                                     bool

	dir    string // for archives and values
	values []string
	rows   []row
}

// A step is one line of the table. What it has seen is for people; its error fails it.
type step struct {
	name string
	do   func(context.Context) (seen string, err error)
}

type row struct {
	name, seen string
	took       time.Duration
	err        error
}

// stepFor is how long a step may take: a load and the wait for its outcomes.
const stepFor = 8 * time.Minute

func (t *trial) run(ctx context.Context) (err error) {
	if t.dir, err = os.MkdirTemp("", "changerelay-e2e-"); err != nil {
		return err
	}
	defer os.RemoveAll(t.dir)
	if out, err := t.kube(ctx, "create", "namespace", t.namespace); err != nil {
		return fmt.Errorf("making a namespace: %w %s", err, out) // it may be somebody's
	}
	if !t.keep {
		defer t.clean()
	}
	for _, s := range []step{{"images", t.images}, {"install", t.install}} {
		if !t.step(ctx, s) {
			return errors.Join(t.table(ctx), errors.New("there is nothing to try"))
		}
	}
	for _, s := range t.steps() {
		if strings.Contains(s.name, t.only) && ctx.Err() == nil {
			t.step(ctx, s)
		}
	}
	return t.table(ctx)
}

func (t *trial) step(ctx context.Context, s step) bool {
	fmt.Printf("== %s\n", s.name)
	ctx, stop := context.WithTimeout(ctx, stepFor)
	defer stop()
	start := time.Now()
	seen, err := s.do(ctx)
	r := row{s.name, seen, time.Since(start), err}
	t.rows = append(t.rows, r)
	fmt.Println(r)
	if err != nil {
		t.explain()
	}
	return err == nil
}

func (r row) String() string {
	word, seen := "PASS", r.seen
	if r.err != nil {
		word = "FAIL"
		seen = strings.TrimSpace(seen + " " + r.err.Error())
	}
	seen = strings.NewReplacer("\n", " ", "|", "/").Replace(seen)
	return fmt.Sprintf("| %s | %s | %.0f | %s |", r.name, seen, r.took.Seconds(), word)
}

// table prints the rows as docs have them. Its error says that some failed.
func (t *trial) table(ctx context.Context) error {
	fmt.Printf("\n%s\n\n| step | what was seen | s | |\n| --- | --- | ---: | --- |\n", t.versions(ctx))
	failed := 0
	for _, r := range t.rows {
		fmt.Println(r)
		if r.err != nil {
			failed++
		}
	}
	if failed > 0 {
		return fmt.Errorf("%d of %d steps failed", failed, len(t.rows))
	}
	return nil
}

func (t *trial) versions(ctx context.Context) string {
	node, _ := t.kube(ctx, "get", "nodes", "-o", "jsonpath={range .items[*]}{.status.nodeInfo.kubeletVersion}, {.status.nodeInfo.containerRuntimeVersion}, {.status.nodeInfo.kernelVersion}; {end}")
	helm, _ := t.command(ctx, "", t.helm, "version", "--short")
	return fmt.Sprintf("Kubernetes %s helm %s", node, helm)
}

// explain shows what a person would look at first.
func (t *trial) explain() {
	ctx, stop := context.WithTimeout(context.Background(), time.Minute)
	defer stop()
	for _, args := range [][]string{
		{"get", "pods", "-o", "wide"},
		{"get", "events", "--sort-by=.lastTimestamp", "--field-selector=type=Warning"},
		{"logs", "-l", "app.kubernetes.io/component in (ingest,worker)", "--tail=20", "--prefix"},
	} {
		out, err := t.kube(ctx, args...)
		fmt.Println(out, err)
	}
}

// clean removes what the trial made, whatever became of it.
func (t *trial) clean() {
	ctx, stop := context.WithTimeout(context.Background(), stepFor)
	defer stop()
	_, _ = t.command(ctx, "", t.helm, "uninstall", release, "-n", t.namespace, "--ignore-not-found")
	if out, err := t.kube(ctx, "delete", "namespace", t.namespace, "--timeout=2m"); err != nil {
		fmt.Fprintln(os.Stderr, "e2e: removing the namespace:", err, out)
	}
}
