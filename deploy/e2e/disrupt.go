package main

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// evict asks for two pods of each Deployment: one may go, the other not before it is
// replaced.
func (t *trial) evict(ctx context.Context) (string, error) {
	for _, component := range []string{"ingest", "worker"} {
		out, err := t.kube(ctx, "get", "pods", "-l", "app.kubernetes.io/component="+component, "-o", "jsonpath={.items[*].metadata.name}")
		names := strings.Fields(out)
		if err != nil || len(names) != 2 {
			return "", fmt.Errorf("there are pods %q, want 2: %w", names, err)
		}
		if err := t.evictPod(ctx, names[0]); err != nil {
			return "", fmt.Errorf("evicting the first pod: %w", err)
		}
		if err := t.evictPod(ctx, names[1]); err == nil || !strings.Contains(err.Error(), "disruption budget") {
			return "", fmt.Errorf("evicting %s, the last %s: %v, want a refusal by the budget", names[1], component, err)
		}
		if _, err := t.kube(ctx, "rollout", "status", "deployment/demo-changerelay-"+component, "--timeout=2m"); err != nil {
			return "", err
		}
	}
	return "of each Deployment the first pod went, the second was refused: it would violate the disruption budget", t.allOf(ctx, "2")
}

func (t *trial) evictPod(ctx context.Context, name string) error {
	object := fmt.Sprintf(`{"apiVersion":"policy/v1","kind":"Eviction","metadata":{"name":%q,"namespace":%q}}`, name, t.namespace)
	_, err := t.command(ctx, object, t.kubectl, "create", "--raw", fmt.Sprintf("/api/v1/namespaces/%s/pods/%s/eviction", t.namespace, name), "-f", "-")
	return err
}

// killMidCall has Graph hold an answer back, and kills the workers meanwhile. At point
// "before" the call then has no effect, at "after" it had one, and nobody was told.
func (t *trial) killMidCall(ctx context.Context, device int, point string) (string, error) {
	if _, err := t.probe(ctx, "fault", fmt.Sprintf("-device=%d", device), "-point="+point); err != nil {
		return "", err
	}
	id, err := t.send(ctx, device, 0)
	if err != nil {
		return "", err
	}
	if err := t.callsOf(ctx, device, "1 calls, 1 in flight"); err != nil {
		return "", err
	}
	if _, err := t.kube(ctx, "delete", "pods", "-l", workerPods, "--grace-period=0", "--force"); err != nil {
		return "", err
	}
	start := time.Now()
	outcome, err := t.probe(ctx, "end", id)
	if err != nil {
		return "", err
	}
	calls, err := t.probe(ctx, "calls", fmt.Sprintf("-device=%d", device))
	if err == nil && (outcome != "accepted" || !strings.HasSuffix(calls, "0 in flight, 1 with effect, 0 overlapping")) {
		err = fmt.Errorf("want it accepted, with one effect")
	}
	seen := fmt.Sprintf("both workers killed; %s %.0f s later; %s", outcome, time.Since(start).Seconds(), calls)
	if err != nil {
		return seen, err
	}
	return seen, t.allOf(ctx, "2")
}

func (t *trial) callsOf(ctx context.Context, device int, want string) error {
	return until(ctx, want, func() bool {
		out, err := t.probe(ctx, "calls", fmt.Sprintf("-device=%d", device))
		return err == nil && strings.HasPrefix(out, want)
	})
}
