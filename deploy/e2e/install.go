package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

const (
	release = "demo"
	chart   = "deploy/helm/changerelay"
)

// Each load has devices of its own; those below 100 are for single events. A device has
// room for 30 of them.
var (
	upgradeLoad = plan{rate: 50, first: 100, devices: 300, least: 3000}
	failLoad    = plan{rate: 10, first: 400, devices: 60, least: 200}
	crashLoad   = plan{rate: 20, first: 500, devices: 150, least: 600}
)

const devices = 650 // in all

// install installs the demo of version 1 in a restricted namespace, and the pod that sends.
func (t *trial) install(ctx context.Context) (string, error) {
	if _, err := t.kube(ctx, "label", "namespace", t.namespace, "pod-security.kubernetes.io/enforce=restricted"); err != nil {
		return "", err
	}
	own := filepath.Join(t.dir, "values.yaml")
	if err := os.WriteFile(own, []byte(ownValues()), 0o644); err != nil {
		return "", err
	}
	t.values = []string{"-f", chart + "/values-demo.yaml", "-f", own}
	if _, err := t.helmDo(ctx, "install", "--set-string=image.tag=1", "--wait", "--timeout=3m"); err != nil {
		return "", err
	}
	if _, err := t.apply(ctx, fmt.Sprintf(probePod, probeImage)); err != nil {
		return "", err
	}
	if _, err := t.kube(ctx, "wait", "--for=condition=Ready", "pod/probe", "--timeout=1m"); err != nil {
		return "", err
	}
	ready, err := t.kube(ctx, "get", "pods", "-o", "jsonpath={range .items[*]}{.metadata.name} {end}")
	return fmt.Sprintf("%d pods ready under Pod Security restricted", len(strings.Fields(ready))), err
}

// ownValues are the demo's with images of this machine and more devices.
func ownValues() string {
	var b strings.Builder
	fmt.Fprintf(&b, "image: { repository: %s, pullPolicy: Never }\n", relayImage)
	fmt.Fprintf(&b, "demo:\n  nats: { image: %s }\n  graph: { image: \"%s:1\" }\n  scenario: |\n", brokerImage, relayImage)
	b.WriteString(`    knobs: { check_in: 1s }
    tenants:
      - id: 11111111-1111-4111-8111-111111111111
        apps:
          - { client_id: 22222222-2222-4222-8222-222222222222, client_secret: @SECRET@ }
        devices:
          - { id: 33333333-3333-4333-8333-333333333333, platform: iOS }
`)
	for n := range devices {
		fmt.Fprintf(&b, "          - { id: e2e00000-0000-4000-8000-%012x, platform: iOS }\n", n)
	}
	return b.String()
}

// probePod has the labels of the chart's test, which the NetworkPolicies let in, and a
// policy of its own that lets it out.
const probePod = `
apiVersion: v1
kind: Pod
metadata:
  name: probe
  labels: { app.kubernetes.io/name: changerelay, app.kubernetes.io/instance: demo, app.kubernetes.io/component: test, e2e: probe }
spec:
  automountServiceAccountToken: false
  enableServiceLinks: false
  terminationGracePeriodSeconds: 5
  securityContext: { runAsNonRoot: true, runAsUser: 65532, runAsGroup: 65532, fsGroup: 65532, seccompProfile: { type: RuntimeDefault } }
  containers:
    - name: probe
      image: %s
      imagePullPolicy: Never
      args: [wait]
      env:
        - { name: RELAY_URL, value: "http://demo-changerelay-ingest" }
        - { name: NATS_URL, value: "nats://changerelay-demo-nats:4222" }
        - { name: GRAPH, value: changerelay-demo-graph }
        - { name: SOURCE_SECRET, value: /run/secrets/sources/desk }
      securityContext: { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: [ALL] } }
      resources: { requests: { cpu: 10m, memory: 32Mi }, limits: { memory: 256Mi } }
      volumeMounts:
        - { name: sources, mountPath: /run/secrets/sources, readOnly: true }
  volumes:
    - name: sources
      secret: { secretName: changerelay-demo-sources, defaultMode: 0440 }
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: { name: probe }
spec:
  podSelector: { matchLabels: { e2e: probe } }
  policyTypes: [Egress]
  egress: [{}]
`
