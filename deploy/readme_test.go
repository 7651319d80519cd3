package deploy

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"
)

// The README's values are all that a user must set. They are those that the other tests
// render, and make image-check runs their pods.
func TestReadmeValues(t *testing.T) {
	want := string(read(t, chart+"/ci/minimal-values.yaml"))
	for file, heading := range map[string]string{"../README.md": "## In Kubernetes", chart + "/README.md": "## Install"} {
		m := regexp.MustCompile("(?s)\n" + heading + "\n.*?```yaml\n(.*?)```").FindSubmatch(read(t, file))
		if m == nil {
			t.Errorf("%s has no values below %q", file, heading)
			continue
		}
		if string(m[1]) != want {
			t.Errorf("%s: %s", file, firstDifference(string(m[1]), want))
		}
		values := filepath.Join(t.TempDir(), "values.yaml")
		if err := os.WriteFile(values, m[1], 0o644); err != nil {
			t.Fatal(err)
		}
		out, err := render(t, "changerelay", "-f", values)
		if err != nil {
			t.Fatal(err)
		}
		if said, ok := conforms(t, out); !ok {
			t.Error(said)
		}
	}
}
