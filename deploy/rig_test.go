// Package deploy has no code: its tests hold the chart, the manifests and the
// other files of this folder to what they promise.
//
// Those that need helm take it from the tools of tools/go.mod (make tools), and are
// skipped without; make chart is never without. -update writes what is made of the
// chart: golden renders, manifests, and the part of values.schema.json that is the
// relay's own configuration.
package deploy

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
)

var update = flag.Bool("update", false, "write what the tests would compare")

const chart = "helm/changerelay"

// tool finds one of the tools of tools/go.mod.
func tool(t *testing.T, name string) string {
	t.Helper()
	sum, err := os.ReadFile("../tools/go.sum")
	if err != nil {
		t.Fatal(err)
	}
	path, err := filepath.Abs(fmt.Sprintf("../.cache/tools-%.12s/%s", fmt.Sprintf("%x", sha256.Sum256(sum)), name))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); err != nil {
		t.Skipf("SKIPPED: there is no %s; make tools builds it", name)
	}
	return path
}

// renders are those that went well, by arguments: a render takes a tenth of a second.
var renders = map[string]string{}

// render is helm template with a file of values and flags, and what helm says when
// it refuses. Tests that call it do not run in parallel.
func render(t *testing.T, release string, args ...string) (string, error) {
	t.Helper()
	key := release + "\x00" + strings.Join(args, "\x00")
	if out, ok := renders[key]; ok {
		return out, nil
	}
	cmd := exec.Command(tool(t, "helm"), append([]string{"template", release, chart, "--namespace", "relay"}, args...)...)
	var out, complaints bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &complaints
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("%w: %s", err, complaints.String())
	}
	renders[key] = out.String()
	return out.String(), nil
}

// An object is a Kubernetes object.
type object map[string]any

// objects are those of a render, by "Kind/name".
func objects(t *testing.T, release string, args ...string) map[string]object {
	t.Helper()
	text, err := render(t, release, args...)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]object{}
	for _, doc := range regexp.MustCompile(`(?m)^---$`).Split(text, -1) {
		var o object
		if err := yaml.Unmarshal([]byte(doc), &o); err != nil {
			t.Fatalf("reading a rendered object: %v\n%s", err, doc)
		}
		if len(o) == 0 {
			continue
		}
		name := fmt.Sprintf("%v/%v", o["kind"], o.at("metadata.name"))
		if _, twice := all[name]; twice {
			t.Errorf("%s is rendered twice", name)
		}
		all[name] = o
	}
	return all
}

// at walks down a path of keys; numbers are places in lists.
func (o object) at(path string) any {
	var v any = map[string]any(o)
	for key := range strings.SplitSeq(path, ".") {
		switch x := v.(type) {
		case map[string]any:
			v = x[key]
		case []any:
			i := int(key[0] - '0')
			if i >= len(x) {
				return nil
			}
			v = x[i]
		default:
			return nil
		}
	}
	return v
}

// text is what stands at a path, as JSON.
func (o object) text(path string) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false) // NATS cannot read it, and people neither
	if err := e.Encode(o.at(path)); err != nil {
		return err.Error()
	}
	return strings.TrimSpace(b.String())
}

func read(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// same compares a file with what it has to hold, or writes it with -update.
func same(t *testing.T, name string, want []byte) {
	t.Helper()
	if *update {
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, want, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if got, err := os.ReadFile(name); err != nil || !bytes.Equal(got, want) {
		t.Errorf("%s is not what is made of the chart (%v); see git diff after: go test ./deploy -update\n%s", name, err, firstDifference(string(got), string(want)))
	}
}

func firstDifference(got, want string) string {
	a, b := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return fmt.Sprintf("line %d: have %q, want %q", i+1, a[i], b[i])
		}
	}
	return fmt.Sprintf("%d lines, want %d", len(a), len(b))
}

func glob(t *testing.T, pattern string) []string {
	t.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil {
		t.Fatal(err)
	}
	return files
}
