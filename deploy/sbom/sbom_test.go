package main

import (
	"bytes"
	"debug/buildinfo"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
)

// The bill of a real program has each of its modules, and their licences; the same
// program gives the same bytes.
func TestBill(t *testing.T) {
	dir := t.TempDir()
	bin := filepath.Join(dir, "changerelay-ingest")
	if out, err := exec.Command("go", "build", "-buildvcs=false", "-o", bin, "changerelay/cmd/ingest").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	var written [2][]byte
	for i := range written {
		file := filepath.Join(dir, "sbom.json")
		if err := run(file, "1.2.3", []string{bin}); err != nil {
			t.Fatal(err)
		}
		written[i], _ = os.ReadFile(file)
	}
	if !bytes.Equal(written[0], written[1]) {
		t.Error("two bills of one program differ")
	}
	var b bom
	if err := json.Unmarshal(written[0], &b); err != nil {
		t.Fatal(err)
	}
	info, err := buildinfo.ReadFile(bin)
	if err != nil {
		t.Fatal(err)
	}
	on := b.Dependencies[slices.IndexFunc(b.Dependencies, func(d dependency) bool { return d.Ref == "changerelay/changerelay-ingest" })].On
	if len(on) != len(info.Deps)+1 || len(info.Deps) < 20 {
		t.Errorf("the bill has %d modules of ingest, and the program has %d, and Go's library", len(on), len(info.Deps))
	}
	licenses := map[string]string{}
	for _, c := range b.Components {
		if c.Type != "library" {
			continue
		}
		if len(c.Licenses) != 1 {
			t.Errorf("%s has no licence that is known", c.Ref)
			continue
		}
		licenses[c.Name] = c.Licenses[0].License.ID
	}
	for name, want := range map[string]string{"stdlib": "BSD-3-Clause", "github.com/nats-io/nats.go": "Apache-2.0", "github.com/labstack/echo/v4": "MIT", "golang.org/x/crypto": "BSD-3-Clause"} {
		if licenses[name] != want {
			t.Errorf("%s: %q, want %s", name, licenses[name], want)
		}
	}
	if m := b.Metadata.Component; m.Version != "1.2.3" {
		t.Errorf("%+v", m)
	}
}

func TestNoBill(t *testing.T) {
	if run("x", "1", nil) == nil || run("x", "1", []string{"main.go"}) == nil {
		t.Error("there is a bill of nothing")
	}
}
