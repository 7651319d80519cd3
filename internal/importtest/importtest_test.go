// Package importtest is the floors of the tree, as a test.
//
//	4  cmd/*
//	3  internal/standalone   cmd/internal/boot
//	2  internal/ingest   internal/worker
//	1  internal/stream   internal/ledger   internal/quota   internal/ingest/*
//	0  internal/events   internal/graph   internal/graphsim   internal/metrics   internal/tracing   internal/natstest
//
// Imports go strictly downward, siblings never import each other, and each
// third-party module has a few packages that may know it. A new package fails
// the test until it has a place in the table.
package importtest

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

const root = "../.."

// TestImports reads the files itself instead of asking the go command: files
// that a test opens are part of its cached result, those that another process
// opens are not, and a forbidden import would hide behind "(cached)". It also
// sees files of other systems and build tags.
func TestImports(t *testing.T) {
	files := 0
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && name != root && skip(name):
			return fs.SkipDir
		case d.IsDir() || !strings.HasSuffix(name, ".go"):
			return nil
		}
		files++
		checkFile(t, name)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if files < 10 {
		t.Errorf("only %d files were found; is %s the module's root?", files, root)
	}
}

// skip names the folders that the go command passes over too.
func skip(dir string) bool {
	base := filepath.Base(dir)
	if base == "testdata" || base == "vendor" || strings.ContainsAny(base[:1], "._") {
		return true
	}
	_, err := os.Stat(filepath.Join(dir, "go.mod")) // a module of its own
	return err == nil
}

func checkFile(t *testing.T, name string) {
	f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
	if err != nil {
		t.Error(err)
		return
	}
	rel, err := filepath.Rel(root, name)
	if err != nil {
		t.Fatal(err)
	}
	pkg, isTest := path.Dir(filepath.ToSlash(rel)), strings.HasSuffix(name, "_test.go")
	if _, ok := find(pkg); !ok {
		t.Errorf("%s: package %s has no place in the table; put it on a floor", rel, pkg)
		return
	}
	for _, spec := range f.Imports {
		imported, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			t.Fatal(err)
		}
		if why := verdict(pkg, imported, isTest); why != "" {
			t.Errorf("%s imports %s: %s", rel, imported, why)
		}
	}
}
