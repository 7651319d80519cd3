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

const brokerPod = "changerelay-demo-nats-0"

// crashBroker ends the broker's process where it stands. Its container is started again, and
// finds its volume.
func (t *trial) crashBroker(ctx context.Context) (string, error) {
	return t.underLoad(ctx, 20, crashFirst, crashDevices, func() (string, error) {
		_, err := t.kube(ctx, "debug", "pod/"+brokerPod, "--image="+probeImage, "--image-pull-policy=Never", "--target=nats", "--profile=restricted", "--container=crash", "--", "/probe", "signal", "1", "ABRT")
		if err != nil {
			return "", err
		}
		start := time.Now()
		err = until(ctx, "the broker's container to be started again", func() bool {
			out, err := t.kube(ctx, "get", "pod", brokerPod, "-o", "jsonpath={.status.containerStatuses[0].restartCount} {.status.containerStatuses[0].ready}")
			return err == nil && out == "1 true"
		})
		return fmt.Sprintf("its container was ready again after %.0f s, with its emptyDir", time.Since(start).Seconds()), err
	})
}

// deleteBroker takes the broker's history away with its pod. The relay has to begin anew,
// without being started anew.
func (t *trial) deleteBroker(ctx context.Context) (string, error) {
	before, err := t.restarts(ctx)
	if err != nil {
		return "", err
	}
	start := time.Now()
	if _, err := t.kube(ctx, "delete", "pod", brokerPod); err != nil {
		return "", err
	}
	outcome, err := t.told(ctx, 3)
	if err != nil {
		return "", err
	}
	took := time.Since(start).Seconds()
	after, err := t.restarts(ctx)
	switch {
	case err != nil:
	case outcome != "accepted":
		err = fmt.Errorf("the next event ended %s", outcome)
	case before != after:
		err = fmt.Errorf("pods were %s and are %s", before, after)
	}
	return fmt.Sprintf("the history is gone with its emptyDir, as the demo says; an event was %s after %.0f s; no pod of the relay restarted", outcome, took), err
}
