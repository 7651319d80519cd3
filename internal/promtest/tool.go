package promtest

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// Tool is the path of a program of tools/go.mod. It skips the test where the
// program is not built: the tools are large, and a machine with Go alone must
// be able to run the tests.
func Tool(t testing.TB, name string) string {
	t.Helper()
	root := Root(t)
	sum, err := os.ReadFile(filepath.Join(root, "tools", "go.sum"))
	if err != nil {
		t.Fatalf("promtest: finding the tools: %v", err)
	}
	folder := fmt.Sprintf("tools-%x", sha256.Sum256(sum))[:len("tools-")+12] // as the Makefile names it
	path := filepath.Join(root, ".cache", folder, name)
	if _, err := os.Stat(path); err != nil {
		t.Skipf("SKIPPED: %s is not built: run make tools", name)
	}
	return path
}

// Root is the folder of the checkout.
func Root(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "tools", "go.sum")); err == nil {
			return dir
		}
		up := filepath.Dir(dir)
		if up == dir {
			t.Fatal("promtest: the test does not run in a checkout")
		}
		dir = up
	}
}
