package deploy

import (
	"regexp"
	"strings"
	"testing"
)

// The manifests are a render of the README's values: what is theirs alone is the
// namespace, and Helm is not mentioned.
func TestManifests(t *testing.T) {
	out, err := render(t, "changerelay", "-f", chart+"/ci/minimal-values.yaml", "--skip-tests", "--namespace", "changerelay")
	if err != nil {
		t.Fatal(err)
	}
	out = regexp.MustCompile(`(?m)^\s+(?:helm\.sh/chart|app\.kubernetes\.io/managed-by):.*\n|^# Source:.*\n`).ReplaceAllString(out, "")
	text := `# changerelay without Helm. Put your broker, tenants and sources into the ConfigMap, create the Secrets
# changerelay-tenants and changerelay-sources (deploy/README.md), then: kubectl apply -f deploy/manifests
# Made of the chart by make manifests; a change belongs there.
apiVersion: v1
kind: Namespace
metadata:
  name: changerelay
  labels:
    pod-security.kubernetes.io/enforce: restricted
` + out
	if said, ok := conforms(t, text); !ok {
		t.Error(said)
	}
	if strings.Contains(strings.ToLower(out), "helm") {
		t.Error("the manifests speak of Helm")
	}
	same(t, "manifests/changerelay.yaml", []byte(text))
}
