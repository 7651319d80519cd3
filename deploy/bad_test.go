package deploy

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Each of these values is refused before anything is installed, with a message that
// names its key. The last word is one that the message has besides.
var bad = []struct{ values, key, word string }{
	// mistyped and unknown keys
	{"replicaCount: 3", "replicaCount", "not allowed"},
	{"worker: { replica: 3 }", "replica", "/worker"},
	{"ingest: { service: { ports: 80 } }", "ports", "/ingest/service"},
	{"config: { natz: { url: nats://x:4222 } }", "natz", "/config"},
	{"config: { nats: { urll: nats://x:4222 } }", "urll", "/config/nats"},
	{"config: { sources: { desk: { kind: cloudevents, tenants: [acme], secret: x } } }", "secret", "/config/sources/desk"},
	{"secrets: { tenants: { value: hunter2 } }", "value", "/secrets/tenants"},
	{"networkPolicy: { ingressFrom: [{ namespace: x }] }", "namespace", "/networkPolicy/ingressFrom/0"},
	{"worker: { env: [{ nam: X }] }", "name", "/worker/env/0"},
	{"ingest: { tolerations: [{ keys: x }] }", "keys", "/ingest/tolerations/0"},
	// values of the wrong kind or out of range
	{"worker: { replicas: 0 }", "/worker/replicas", "minimum"},
	{"ingest: { replicas: two }", "/ingest/replicas", "integer"},
	{"ingest: { service: { port: 70000 } }", "/ingest/service/port", "maximum"},
	{"ingest: { service: { type: Loadbalancer } }", "/ingest/service/type", "LoadBalancer"},
	{"worker: { terminationGracePeriodSeconds: 30 }", "/worker/terminationGracePeriodSeconds", "60"},
	{"worker: { resources: { limits: { memory: 1 GB } } }", "/worker/resources/limits/memory", "pattern"},
	{"worker: { pdb: { maxUnavailable: 0 } }", "/worker/pdb/maxUnavailable", "minimum"},
	{"worker: { keda: { minReplicas: 0 } }", "/worker/keda/minReplicas", "minimum"},
	{"image: { pullPolicy: always }", "/image/pullPolicy", "Always"},
	{"image: { digest: sha256-abc }", "/image/digest", "pattern"},
	{"config: { nats: { url: 'http://nats:4222' } }", "/config/nats/url", "pattern"},
	{"config: { nats: { url: 'nats://me:secret@nats:4222' } }", "/config/nats/url", "pattern"},
	{"config: { nats: { replicas: 2 } }", "/config/nats/replicas", "1, 3, 5"},
	{"config: { nats: { retention: 30d } }", "/config/nats/retention", "pattern"},
	{"config: { log: { level: trace } }", "/config/log/level", "debug"},
	{"config: { tenants: { acme: { tenant_id: not a tenant } } }", "/config/tenants/acme/tenant_id", ""},
	{"config: { tenants: { acme: { client_secret: hunter2 } } }", "/config/tenants/acme/client_secret", "object"},
	{"config: { tenants: { Acme: {} } }", "Acme", "/config/tenants"},
	{"config: { sources: { desk: { kind: servicenau } } }", "/config/sources/desk/kind", "servicenow"},
	{"monitoring: { podMonitor: { interval: often } }", "/monitoring/podMonitor/interval", "pattern"},
	{"ingress: { hosts: ['https://relay.example'] }", "/ingress/hosts/0", "pattern"},
	// values that make no sense together
	{"config: null", "config", "missing property"},
	{"config: { nats: null }", "config.nats.url", "nats://"},
	{"config: { tenants: null }", "config.tenants", "add one"},
	{"config: { sources: null }", "config.sources", "add one"},
	{"config: { sources: { desk: { tenants: [acne] } } }", "config.sources.desk.tenants", "acne"},
	{"config: { admin: { listen: ':8080' } }", "config.admin.listen", "another port"},
	{"config: { ingest: { listen: ':443' } }", "config.ingest.listen", "1024"},
	{"config: { ingest: { tls: { cert_file: /run/secrets/tls/tls.crt, key_file: /run/secrets/tls/tls.key } } }", "secrets.tls.existingSecret", "missing"},
	{"secrets: { sources: { external: { desk: { key: x } } } }", "secrets.store.name", "missing"},
	{"ingest: { stopDelaySeconds: 30 }", "ingest.terminationGracePeriodSeconds", "stopDelaySeconds"},
	{"worker: { keda: { enabled: true } }", "worker.keda.prometheusURL", "missing"},
	{"ingest: { autoscaling: { minReplicas: 20 } }", "ingest.autoscaling.maxReplicas", "minReplicas"},
	{"ingress: { enabled: true }", "ingress.hosts", "empty"},
	{"httpRoute: { enabled: true }", "httpRoute.parentRefs", "empty"},
	{"monitoring: { podMonitor: { enabled: true }, serviceMonitor: { enabled: true } }", "monitoring.podMonitor.enabled", "twice"},
	{"tests: { send: { enabled: true, tenant: acme } }", "tests.send.device", "missing"},
	{"tests: { send: { enabled: true, tenant: acne, device: 33333333-3333-4333-8333-333333333333, item: x } }", "tests.send.tenant", "acne"},
}

func TestBadValues(t *testing.T) {
	tool(t, "helm")
	dir := t.TempDir()
	for i, c := range bad {
		t.Run(c.values, func(t *testing.T) {
			file := filepath.Join(dir, fmt.Sprintf("%d.yaml", i))
			if err := os.WriteFile(file, []byte(c.values), 0o644); err != nil {
				t.Fatal(err)
			}
			_, err := render(t, "changerelay", "-f", chart+"/ci/minimal-values.yaml", "-f", file)
			if err == nil {
				t.Fatal("it is taken")
			}
			for _, want := range []string{c.key, c.word} {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("the message does not say %q: %v", want, err)
				}
			}
		})
	}
}
