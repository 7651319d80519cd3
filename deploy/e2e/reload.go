package main

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// reloadFor is how long a change of a ConfigMap takes at most until a running pod has taken
// it up: the kubelet writes it within two minutes by default, and the program looks by itself.
const reloadFor = 3 * time.Minute

// reload changes what a source may ask for, and a tenant. No pod may start anew.
func (t *trial) reload(ctx context.Context) (string, error) {
	before, err := t.restarts(ctx)
	if err != nil {
		return "", err
	}
	if out, err := t.probe(ctx, "send", "-device=10", "-intent=restore"); err != nil || !strings.HasPrefix(out, "202") {
		return "", fmt.Errorf("before, to restore is answered %q, want 202: %w", out, err)
	}
	start := time.Now()
	if _, err := t.helmDo(ctx, "upgrade", "--set-string=image.tag=2", "--set=config.sources.desk.intents={remove},config.tenants.demo.own_set=true", "--wait", "--timeout=2m"); err != nil {
		return "", err
	}
	ctx, stop := context.WithTimeout(ctx, reloadFor)
	defer stop()
	if err := t.takenUp(ctx); err != nil {
		return "", err
	}
	took := time.Since(start).Seconds()
	after, err := t.restarts(ctx)
	if err == nil && before != after {
		err = fmt.Errorf("pods were %s and are %s", before, after)
	}
	return fmt.Sprintf("%.0f s after the upgrade each ingest pod answers 403 to what the source may not ask any more, each worker has read its tenant again; the same 4 pods, none restarted", took), err
}

// takenUp waits for every pod.
func (t *trial) takenUp(ctx context.Context) error {
	out, err := t.kube(ctx, "get", "pods", "-l", relayPods, "-o", `jsonpath={range .items[*]}{.metadata.name} {.status.podIP}{"\n"}{end}`)
	if err != nil {
		return err
	}
	for line := range strings.SplitSeq(out, "\n") {
		pod, ip, _ := strings.Cut(line, " ")
		err := until(ctx, pod+" to take up the configuration", func() bool {
			if strings.Contains(pod, "-worker-") {
				log, err := t.kube(ctx, "logs", pod, "--tail=-1")
				return err == nil && strings.Contains(log, "tenants.changed=[demo]")
			}
			out, err := t.probe(ctx, "send", "-url=http://"+ip+":8080", "-device=10", "-intent=restore")
			return err == nil && strings.HasPrefix(out, "403")
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// restarts names the relay's pods and how often each was started.
func (t *trial) restarts(ctx context.Context) (string, error) {
	return t.kube(ctx, "get", "pods", "-l", relayPods, "-o", "jsonpath={range .items[*]}{.metadata.name} {.status.containerStatuses[0].restartCount} {end}")
}
