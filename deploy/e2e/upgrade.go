package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// Selectors.
const (
	relayPods  = "app.kubernetes.io/component in (ingest,worker)"
	workerPods = "app.kubernetes.io/component=worker"
)

// underLoad does something while events come in, and joins what both have seen.
func (t *trial) underLoad(ctx context.Context, p plan, do func() (string, error)) (string, error) {
	l, err := t.startLoad(ctx, p)
	if err != nil {
		return "", err
	}
	seen, err := do()
	judged, bad := l.end()
	return seen + "; " + judged, errors.Join(err, bad)
}

// upgrade replaces every pod of both Deployments, until the last old one is gone.
func (t *trial) upgrade(ctx context.Context) (string, error) {
	return t.underLoad(ctx, upgradeLoad, func() (string, error) {
		if _, err := t.helmDo(ctx, "upgrade", "--set-string=image.tag=2", "--wait", "--timeout=4m"); err != nil {
			return "", err
		}
		return "4 pods of version 2", t.allOf(ctx, "2")
	})
}

// allOf waits until there are four pods, all of one tag.
func (t *trial) allOf(ctx context.Context, tag string) error {
	return until(ctx, "pods of tag "+tag+" alone", func() bool {
		out, err := t.kube(ctx, "get", "pods", "-l", relayPods, "-o", "jsonpath={.items[*].spec.containers[0].image}")
		return err == nil && strings.Count(out, relayImage+":"+tag) == 4 && len(strings.Fields(out)) == 4
	})
}

// failedUpgrade upgrades to an image that is not there, and goes back.
func (t *trial) failedUpgrade(ctx context.Context) (string, error) {
	return t.underLoad(ctx, failLoad, func() (string, error) {
		if _, err := t.helmDo(ctx, "upgrade", "--set-string=image.tag=missing", "--wait", "--timeout=20s"); err == nil {
			return "", errors.New("helm took an upgrade without an image for done")
		}
		out, err := t.kube(ctx, "get", "deployments", "-o", "jsonpath={range .items[*]}{.metadata.name} {.status.availableReplicas} {end}")
		if err != nil || strings.Count(out, " 2") != 2 {
			return "", fmt.Errorf("while the upgrade hung there were %q available, want 2 each: %w", out, err)
		}
		if _, err := t.command(ctx, "", t.helm, "rollback", release, "-n", t.namespace, "--wait", "--timeout=2m"); err != nil {
			return "", err
		}
		return "helm said that it failed, 2 of 2 of each stayed available; rolled back", t.allOf(ctx, "2")
	})
}
