package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// steps are tried in this order; the broker's history is lost by the last but one.
func (t *trial) steps() []step {
	return []step{
		{"bad values, server dry-run", t.badValues},
		{"helm test", t.helmTest},
		{"a webhook through the Service", t.webhook},
		{"rolling upgrade, 50 events/s", t.upgrade},
		{"failed upgrade and rollback, 10 events/s", t.failedUpgrade},
		{"eviction against the PDB", t.evict},
		{"worker killed before the call took effect", func(ctx context.Context) (string, error) { return t.killMidCall(ctx, 1, "before") }},
		{"worker killed after it, the reply lost", func(ctx context.Context) (string, error) { return t.killMidCall(ctx, 2, "after") }},
		{"broker's process killed, 20 events/s", t.crashBroker},
		{"configuration reload", t.reload},
		{"broker's pod deleted", t.deleteBroker},
		{"uninstall", t.uninstall},
	}
}

func (t *trial) helmTest(ctx context.Context) (string, error) {
	out, err := t.command(ctx, "", t.helm, "test", release, "-n", t.namespace, "--logs", "--timeout=3m")
	if err == nil && !strings.Contains(out, "accepted") {
		err = fmt.Errorf("no event was accepted: %s", out)
	}
	return fmt.Sprintf("%d tests succeeded, its event accepted", strings.Count(out, "Succeeded")), err
}

// webhook sends one event, and one that somebody else signed.
func (t *trial) webhook(ctx context.Context) (string, error) {
	forged, err := t.probe(ctx, "send", "-forge")
	if err != nil || !strings.HasPrefix(forged, "401") {
		return "", fmt.Errorf("a forged event: %s, want 401: %w", forged, err)
	}
	outcome, err := t.told(ctx, 0)
	if err != nil {
		return "", err
	}
	calls, err := t.probe(ctx, "calls", "-device=0")
	if err == nil && (outcome != "accepted" || !strings.HasPrefix(calls, "1 calls, 0 in flight, 1 with effect")) {
		err = errors.New("want it accepted with one call")
	}
	return fmt.Sprintf("202, then %s; %s; with a wrong signature 401", outcome, calls), err
}

// told sends one event for a device and waits for its outcome.
func (t *trial) told(ctx context.Context, device int) (string, error) {
	id, err := t.send(ctx, device, 0)
	if err != nil {
		return "", err
	}
	return t.probe(ctx, "end", id)
}

// send returns the public id of an event that is stored.
func (t *trial) send(ctx context.Context, device, item int) (string, error) {
	out, err := t.probe(ctx, "send", fmt.Sprintf("-device=%d", device), fmt.Sprintf("-item=%d", item))
	if err != nil {
		return "", err
	}
	code, id, _ := strings.Cut(out, " ")
	if code != "202" {
		return "", fmt.Errorf("an event was answered %s, want 202", out)
	}
	return id, nil
}

// uninstall wants nothing left that runs.
func (t *trial) uninstall(ctx context.Context) (string, error) {
	if _, err := t.command(ctx, "", t.helm, "uninstall", release, "-n", t.namespace, "--wait", "--timeout=2m"); err != nil {
		return "", err
	}
	const ours = "--selector=app.kubernetes.io/instance=" + release + ",app.kubernetes.io/managed-by=Helm"
	var left string
	err := until(ctx, "everything to be gone", func() bool {
		running, err := t.kube(ctx, "get", "pods", "-o", "name", "--field-selector=status.phase!=Succeeded,metadata.name!=probe")
		if err != nil || running != "" {
			return false
		}
		left, err = t.kube(ctx, "get", "deployments,statefulsets,replicasets,services,configmaps,secrets,serviceaccounts,poddisruptionbudgets,networkpolicies,pods", ours, "-o", "name")
		return err == nil && !strings.Contains(strings.ReplaceAll(left, "pod/demo-changerelay-test-", ""), "/")
	})
	seen := "no object of the release is left"
	if left != "" {
		seen += " but pods of helm test, which have ended: " + strings.Join(strings.Fields(left), ", ")
	}
	return seen, err
}
