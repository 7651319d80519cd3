package deploy

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"changerelay/internal/stream"
)

// pods are the pod templates of a render, by "Kind/name".
func pods(t *testing.T, release string) map[string]object {
	t.Helper()
	found := map[string]object{}
	for name, o := range objects(t, release, sets[release]...) {
		switch o["kind"] {
		case "Pod":
			found[name] = o.at("spec").(map[string]any)
		case "Deployment", "StatefulSet":
			found[name] = o.at("spec.template.spec").(map[string]any)
		}
	}
	if len(found) < 3 {
		t.Fatalf("only %d pods are rendered", len(found))
	}
	return found
}

// What Pod Security's "restricted" asks for, and what it does not: a root file system
// that nobody can write to, no token of the cluster, bounded memory.
func TestPodsAreRestricted(t *testing.T) {
	for release := range sets {
		for name, pod := range pods(t, release) {
			for path, want := range map[string]string{
				"automountServiceAccountToken":        "false",
				"enableServiceLinks":                  "false",
				"hostNetwork":                         "null",
				"hostPID":                             "null",
				"securityContext.runAsNonRoot":        "true",
				"securityContext.seccompProfile.type": `"RuntimeDefault"`,
				"containers.1":                        "null",
				"initContainers":                      "null",
				"containers.0.securityContext.allowPrivilegeEscalation":    "false",
				"containers.0.securityContext.readOnlyRootFilesystem":      "true",
				"containers.0.securityContext.runAsNonRoot":                "true",
				"containers.0.securityContext.runAsUser":                   "65532",
				"containers.0.securityContext.capabilities.drop":           `["ALL"]`,
				"containers.0.securityContext.capabilities.add":            "null",
				"containers.0.resources.limits.cpu":                        "null",
				"containers.0.securityContext.seccompProfile.localProfile": "null",
			} {
				if got := pod.text(path); got != want {
					t.Errorf("%s, %s: %s is %s, want %s", release, name, path, got, want)
				}
			}
			if pod.text("containers.0.resources.limits.memory") == "null" || pod.text("containers.0.resources.requests") == "null" {
				t.Errorf("%s, %s: its memory has no bound or no request", release, name)
			}
			for _, v := range list(pod.at("volumes")) {
				if v.text("hostPath") != "null" {
					t.Errorf("%s, %s mounts a folder of the node", release, name)
				}
			}
		}
	}
}

func list(v any) (all []object) {
	items, _ := v.([]any)
	for _, item := range items {
		all = append(all, item.(map[string]any))
	}
	return all
}

// secretsOf are the Secrets that a pod gets.
func secretsOf(pod object) string {
	var names []string
	for _, v := range list(pod.at("volumes")) {
		if s, ok := v.at("secret.secretName").(string); ok {
			names = append(names, s)
		}
	}
	return strings.Join(names, " ")
}

// Ingest, which strangers talk to, has nothing that could change a phone; workers have
// nothing that lets webhooks in.
func TestSecretsAreApart(t *testing.T) {
	for _, c := range []struct{ release, pod, want string }{
		{"changerelay", "Deployment/changerelay-ingest", "changerelay-sources"},
		{"changerelay", "Deployment/changerelay-worker", "changerelay-tenants"},
		{"full", "Deployment/full-relay-ingest", "full-relay-sources nats-ingest relay-tls relay-tracing"},
		{"full", "Deployment/full-relay-worker", "relay-tenants nats-worker relay-tracing"},
		{"azure", "Deployment/azure-changerelay-worker", ""},
		{"demo", "Deployment/demo-changerelay-ingest", "changerelay-demo-sources"},
		{"demo", "Deployment/demo-changerelay-worker", "changerelay-demo-tenants"},
		{"demo", "Pod/demo-changerelay-test-send", "changerelay-demo-sources"},
	} {
		pod, ok := pods(t, c.release)[c.pod]
		if got := secretsOf(pod); !ok || got != c.want {
			t.Errorf("%s (there: %t) has %q, want %q", c.pod, ok, got, c.want)
		}
	}
	for name, pod := range pods(t, "full") {
		if env := pod.text("containers.0.env"); strings.Contains(name, "ingest") && strings.Contains(env, "LAB_SECRET") {
			t.Errorf("%s has a tenant's secret: %s", name, env)
		}
	}
}

// A pod is killed later than the program's own bounds end it.
func TestGraceIsLongerThanTheDrain(t *testing.T) {
	all := pods(t, "changerelay")
	grace := func(name string) time.Duration {
		var s int
		if _, err := fmt.Sscan(all[name].text("terminationGracePeriodSeconds"), &s); err != nil {
			t.Fatal(err)
		}
		return time.Duration(s) * time.Second
	}
	worker, ingest := bound(t, "../internal/worker/limits.go", "buryFor"), bound(t, "../internal/relay/relay.go", "drainFor")
	if got, want := grace("Deployment/changerelay-worker"), stream.DrainFor+worker; got <= want {
		t.Errorf("a worker gets %s, and may take %s", got, want)
	}
	if got, want := grace("Deployment/changerelay-ingest"), 10*time.Second+ingest; got <= want {
		t.Errorf("ingest gets %s, and may take %s", got, want)
	}
}

// bound reads a bound that its package keeps to itself.
func bound(t *testing.T, file, name string) time.Duration {
	t.Helper()
	m := regexp.MustCompile(`(?m)^\s*(?:const )?` + name + `\s*= (\d+) \* time\.Second`).FindSubmatch(read(t, file))
	if m == nil {
		t.Fatalf("%s has no %s", file, name)
	}
	d, err := time.ParseDuration(string(m[1]) + "s")
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// Pods start anew for what they read at the start, and only then.
func TestWhatRollsPods(t *testing.T) {
	const key = "spec.template.metadata.annotations"
	dir := t.TempDir()
	for i, c := range []struct {
		values string
		rolls  bool
	}{
		{"config: { log: { format: text } }", true},
		{"config: { tracing: { endpoint: http://collector:4318 } }", true},
		{"config: { log: { level: debug } }", false},
		{"config: { nats: { retention: 24h } }", true},
		{"config: { worker: { pace: 2s } }", true},
		{"config: { sources: { desk: { intents: [remove] } } }", false},
		{"config: { tenants: { acme: { own_set: true } } }", false},
		{"config: { tenants: { two: { tenant_id: two.example, client_id: 66666666-7777-8888-9999-000000000000, federated_token: {} } } }", false},
		{"monitoring: { rules: { enabled: true } }", false},
	} {
		file := fmt.Sprintf("%s/%d.yaml", dir, i)
		if err := os.WriteFile(file, []byte(c.values), 0o644); err != nil {
			t.Fatal(err)
		}
		before, after := objects(t, "changerelay", sets["changerelay"]...), objects(t, "changerelay", append(sets["changerelay"], "-f", file)...)
		for _, name := range []string{"Deployment/changerelay-ingest", "Deployment/changerelay-worker"} {
			if rolls := before[name].text("spec.template") != after[name].text("spec.template"); rolls != c.rolls {
				t.Errorf("%s: %s rolls: %t, want %t (%s)", c.values, name, rolls, c.rolls, after[name].text(key))
			}
		}
		if c.values[:6] == "config" && before["ConfigMap/changerelay"].text("data") == after["ConfigMap/changerelay"].text("data") {
			t.Errorf("%s does not reach the configuration", c.values)
		}
	}
}

// Whatever is in these folders is shipped.
func TestRulesAndDashboardsAreShipped(t *testing.T) {
	all := objects(t, "full", sets["full"]...)
	for pattern, name := range map[string]string{"rules/*.yaml": "PrometheusRule/full-relay-%s", "dashboards/*.json": "ConfigMap/full-relay-%s"} {
		for _, file := range glob(t, chart+"/"+pattern) {
			base := regexp.MustCompile(`^.*/|\.[a-z]+$`).ReplaceAllString(file, "")
			if strings.HasSuffix(base, "_test") {
				continue
			}
			o, ok := all[fmt.Sprintf(name, base)]
			if !ok {
				t.Errorf("%s is not shipped", file)
			}
			if o["kind"] == "PrometheusRule" && o.text("spec.groups") == "null" {
				t.Errorf("%s has no groups", file)
			}
		}
	}
}
