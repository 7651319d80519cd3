package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Values whose mistake only a server knows, with words of its answer. What the schema
// refuses is in deploy/bad_test.go.
var bad = []struct{ values, word string }{
	{"worker: { resources: { requests: { memory: 1Gi } } }", "resources.requests"}, // over the limit
	{"ingest: { resources: { limits: { cpus: 1 } } }", "resources.limits[cpus]"},
	{"ingest: { podLabels: { 'a b': c } }", "labels"},
	{"ingest: { podLabels: { app.kubernetes.io/component: other } }", "`selector` does not match"},
	{"commonLabels: { app.kubernetes.io/name: other }", "`selector` does not match"},
	{"commonAnnotations: { 'a b': c }", "metadata.annotations"},
	{"ingest: { podAnnotations: { 'a b': c } }", "spec.template.annotations"},
	{"ingest: { service: { annotations: { 'a b': c } } }", "metadata.annotations"},
	{"ingest: { service: { externalTrafficPolicy: Local } }", "spec.externalTrafficPolicy"},
	{"worker: { serviceAccount: { annotations: { 'a b': c } } }", "metadata.annotations"},
	{"ingress: { enabled: true, hosts: [relay.example], annotations: { 'a b': c } }", "metadata.annotations"},
	{"ingest: { nodeSelector: { 'a b': c } }", "nodeSelector"},
	{"worker: { tolerations: [{ key: a, operator: Exists, value: b }] }", "tolerations[0]"},
	{"worker: { affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [] } } } }", "nodeSelectorTerms"},
	{"worker: { affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [{ labelSelector: {} }] } } }", "topologyKey"},
	{"worker: { env: [{ name: A, value: x, valueFrom: { fieldRef: { fieldPath: metadata.name } } }] }", "env[0].valueFrom"},
	{"worker: { env: [{ name: A, valueFrom: { fieldRef: { fieldPath: metadata.nam } } }] }", "fieldRef.fieldPath"},
	{"worker: { extraVolumeMounts: [{ name: nowhere, mountPath: /x }] }", "volumeMounts"},
	{"worker: { extraVolumes: [{ name: config, emptyDir: {} }] }", "volumes"}, // the chart has one of that name
	{"worker: { extraVolumes: [{ name: x, emptyDir: {} }], extraVolumeMounts: [{ name: x, mountPath: /etc/changerelay }] }", "mountPath"},
	{"worker: { extraVolumes: [{ name: x, configMap: { name: z, defaultMode: 7777 } }] }", "defaultMode"},
	{"networkPolicy: { graphTo: [{ ipBlock: { cidr: 20.20.32.0/40 } }] }", "ipBlock.cidr"},
}

// badValues renders each and has the server judge it; some are refused earlier, which is
// better still.
func (t *trial) badValues(ctx context.Context) (string, error) {
	file := filepath.Join(t.dir, "bad.yaml")
	byServer, byChart := 0, 0
	var taken []error
	for _, b := range bad {
		if err := os.WriteFile(file, []byte(b.values), 0o644); err != nil {
			return "", err
		}
		out, err := t.command(ctx, "", t.helm, "template", "bad", chart, "-n", t.namespace, "-f", chart+"/ci/minimal-values.yaml", "-f", file)
		if err != nil {
			byChart++
			continue
		}
		_, err = t.apply(ctx, out, "--dry-run=server", "--validate=strict")
		switch {
		case err == nil:
			taken = append(taken, fmt.Errorf("%s is taken", b.values))
		case !strings.Contains(err.Error(), b.word):
			taken = append(taken, fmt.Errorf("%s: the message does not say %q: %w", b.values, b.word, err))
		default:
			byServer++
		}
	}
	return fmt.Sprintf("%d of %d refused by the server with the field's name, %d by the chart before", byServer, len(bad), byChart), errors.Join(taken...)
}
