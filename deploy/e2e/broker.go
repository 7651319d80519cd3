package main

import (
	"context"
	"fmt"
	"strings"
	"time"
)

const brokerPod = "changerelay-demo-nats-0"

// crashBroker ends the broker's process where it stands. Its container is started again, and
// finds its volume.
func (t *trial) crashBroker(ctx context.Context) (string, error) {
	return t.underLoad(ctx, crashLoad, func() (string, error) {
		_, err := t.kube(ctx, "debug", "pod/"+brokerPod, "--image="+probeImage, "--image-pull-policy=Never", "--target=nats", "--profile=restricted", "--container=crash", "--", "/probe", "signal", "1", "ABRT")
		if err != nil {
			return "", err
		}
		start := time.Now()
		err = t.brokerReady(ctx, "1 true")
		return fmt.Sprintf("its container was ready again after %.0f s, with its emptyDir", time.Since(start).Seconds()), err
	})
}

func (t *trial) brokerReady(ctx context.Context, want string) error {
	return until(ctx, "the broker, restarts and readiness "+want, func() bool {
		out, err := t.kube(ctx, "get", "pod", brokerPod, "-o", "jsonpath={.status.containerStatuses[0].restartCount} {.status.containerStatuses[0].ready}")
		return err == nil && out == want
	})
}

// deleteBroker takes the broker's history away with its pod. Workers declare the streams when
// they start: until then nothing may be taken that nobody would store.
func (t *trial) deleteBroker(ctx context.Context) (string, error) {
	if _, err := t.kube(ctx, "delete", "pod", brokerPod); err != nil {
		return "", err
	}
	if err := t.brokerReady(ctx, "0 true"); err != nil {
		return "", err
	}
	before, err := t.probe(ctx, "send", "-once", "-device=3", "-item=1")
	switch {
	case err != nil:
		return "", err
	case strings.HasPrefix(before, "503") && !strings.HasSuffix(before, " 0s"):
		if err := t.restart(ctx); err != nil {
			return "", err
		}
	case !strings.HasPrefix(before, "202"):
		return "", fmt.Errorf("without streams an event is answered %s, want 503 with Retry-After, or 202 if they are there again", before)
	}
	outcome, err := t.told(ctx, 3)
	if err == nil && outcome != "accepted" {
		err = fmt.Errorf("the next event ended %s", outcome)
	}
	return fmt.Sprintf("the history is gone with its emptyDir, as the demo says; an event was answered %s; after a restart of both Deployments one was %s", before, outcome), err
}

func (t *trial) restart(ctx context.Context) error {
	if _, err := t.kube(ctx, "rollout", "restart", "deployment/demo-changerelay-worker", "deployment/demo-changerelay-ingest"); err != nil {
		return err
	}
	for _, component := range []string{"worker", "ingest"} {
		if _, err := t.kube(ctx, "rollout", "status", "deployment/demo-changerelay-"+component, "--timeout=3m"); err != nil {
			return err
		}
	}
	return nil
}
