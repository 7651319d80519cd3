package deploy

import (
	"maps"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// conforms asks kubeconform about objects, as a strict API server would.
func conforms(t *testing.T, text string) (string, bool) {
	t.Helper()
	cmd := exec.Command(tool(t, "kubeconform"), "-strict", "-summary", "-schema-location", "schemas/{{.ResourceKind}}{{.KindSuffix}}.json")
	cmd.Stdin = strings.NewReader(text)
	out, err := cmd.CombinedOutput()
	return string(out), err == nil
}

func TestConform(t *testing.T) {
	for _, release := range slices.Sorted(maps.Keys(sets)) {
		out, err := render(t, release, sets[release]...)
		if err != nil {
			t.Fatal(err)
		}
		if said, ok := conforms(t, out); !ok || strings.Contains(said, "0 resources") {
			t.Errorf("%s: %s", release, said)
		}
	}
}

// The schemas find what an API server would refuse.
func TestConformRefuses(t *testing.T) {
	good, err := render(t, "full", sets["full"]...)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ old, spoilt string }{
		{"terminationGracePeriodSeconds:", "terminationGracePeriod:"},
		{"readOnlyRootFilesystem: true", "readOnlyRootFilesystem: yes please"},
		{"containerPort: 8443", "containerPort: none"},
		{"seconds: 10", "secs: 10"},
		{"ingressClassName:", "ingressClass:"},
		{"pollingInterval: 15", "pollInterval: 15"},
		{"scrapeNativeHistograms: true", "scrapeNativeHistograms: some"},
		{"secretStoreRef:", "storeRef:"},
		{"policyTypes:", "policyType:"},
		{"unhealthyPodEvictionPolicy:", "evictionPolicy:"},
		{"averageUtilization:", "average:"},
	} {
		if !strings.Contains(good, c.old) {
			t.Errorf("%q is not rendered", c.old)
			continue
		}
		if out, ok := conforms(t, strings.Replace(good, c.old, c.spoilt, 1)); ok {
			t.Errorf("%q is taken: %s", c.spoilt, out)
		}
	}
}
