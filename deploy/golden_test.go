package deploy

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// sets are the value sets that the chart is tried with, by release name.
var sets = map[string][]string{
	"changerelay": {"-f", chart + "/ci/minimal-values.yaml"},
	"full":        {"-f", chart + "/ci/full-values.yaml", "--api-versions", "monitoring.coreos.com/v1"},
	"azure":       {"-f", chart + "/ci/azure-values.yaml"},
	"demo":        {"-f", chart + "/values-demo.yaml"},
}

// Files that are shipped as they are would only be here twice.
var shipped = regexp.MustCompile(`(?ms)^# Source: changerelay/templates/monitoring.yaml\n(?:[^\n]*\n){0,2}kind: (?:PrometheusRule|ConfigMap)\n.*?(?:^---\n|\z)`)

// Made up anew in each render.
var random = regexp.MustCompile(`(?m)^(\s*(?:ca\.crt|tls\.crt|tls\.key|graph-ca\.crt|client-secret|source-secret|servicenow-secret|demo|desk|servicenow|client_secret): )\S.*$|(client_secret: )[A-Za-z0-9]{32}$`)

func TestGolden(t *testing.T) {
	for release, args := range sets {
		t.Run(release, func(t *testing.T) {
			out, err := render(t, release, args...)
			if err != nil {
				t.Fatal(err)
			}
			if release == "demo" {
				out = random.ReplaceAllString(out, "${1}${2}RANDOM")
			}
			same(t, "testdata/golden/"+release+".yaml", []byte(shipped.ReplaceAllString(out, "")))
		})
	}
}

// The file in the ConfigMap is one that the programs take.
func TestConfigurationIsTaken(t *testing.T) {
	relayctl := filepath.Join(t.TempDir(), "relayctl")
	if out, err := exec.Command("go", "build", "-o", relayctl, "../cmd/relayctl").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for release, args := range sets {
		t.Run(release, func(t *testing.T) {
			for name, o := range objects(t, release, args...) {
				data, _ := o.at("data").(map[string]any)
				text, ok := data["changerelay.yaml"].(string)
				if !ok || !strings.HasPrefix(name, "ConfigMap/") {
					continue
				}
				file := filepath.Join(t.TempDir(), "changerelay.yaml")
				if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
					t.Fatal(err)
				}
				if out, err := exec.Command(relayctl, "config", "lint", file).CombinedOutput(); err != nil {
					t.Errorf("%v\n%s%s", err, out, text)
				}
				return
			}
			t.Error("there is no configuration")
		})
	}
}
