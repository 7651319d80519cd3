// Command image lays out the root of the container image: one static binary that
// is every command of cmd/, a link by each command's name, certificates and a user.
//
//	cmd/ingest, cmd/worker, … ──► overlay: package main becomes package ingest, … ──► go build ──► bin/changerelay
//	                                                                                   bin/changerelay-ingest ─┘
//
// Apart, the five binaries are 139 MB, three quarters of it the same packages;
// together they are 38, with a bound of 40 that make image-check holds. Go cannot import a package main, so the build sees copies of
// these files under another name (go build -overlay). Nothing is written to the tree.
package main

import (
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
)

func main() {
	var l layout
	flag.StringVar(&l.out, "o", "bin/image", "folder to make")
	flag.StringVar(&l.version, "version", "devel", "version that the commands print")
	flag.StringVar(&l.arch, "arch", "", "GOARCH of the image; this machine's if empty")
	flag.StringVar(&l.roots, "ca", "/etc/ssl/certs/ca-certificates.crt", "CA certificates, PEM")
	flag.Parse()
	if err := l.make(); err != nil {
		fmt.Fprintln(os.Stderr, "image:", err)
		os.Exit(1)
	}
}

// A layout is the image's root and what it is made from.
type layout struct{ out, version, arch, roots string }

func (l layout) make() error {
	commands, err := commands("cmd")
	if err != nil {
		return err
	}
	if err := os.RemoveAll(l.out); err != nil {
		return err
	}
	bin := filepath.Join(l.out, "bin")
	if err := os.MkdirAll(bin, 0o755); err != nil {
		return err
	}
	if err := l.build(commands, filepath.Join(bin, "changerelay")); err != nil {
		return fmt.Errorf("building the binary: %w", err)
	}
	for _, c := range commands {
		if err := os.Symlink("changerelay", filepath.Join(bin, c.Binary())); err != nil {
			return err
		}
	}
	if err := l.files(); err != nil {
		return err
	}
	return settle(l.out)
}

// settle gives every file the mode that it has in the image, whatever the umask is.
func settle(root string) error {
	return filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil || d.Type() == fs.ModeSymlink:
			return err
		case d.IsDir() || filepath.Base(filepath.Dir(path)) == "bin":
			return os.Chmod(path, 0o755)
		}
		return os.Chmod(path, 0o644)
	})
}

// files are those that a program finds on any machine, and not in an empty image.
func (l layout) files() error {
	roots, err := os.ReadFile(l.roots)
	if err != nil {
		return fmt.Errorf("reading CA certificates: %w (name another file with -ca)", err)
	}
	for name, data := range map[string][]byte{
		"etc/ssl/certs/ca-certificates.crt": roots,
		"etc/passwd":                        []byte("changerelay:x:65532:65532::/:/bin/changerelay\n"),
		"etc/group":                         []byte("changerelay:x:65532:\n"),
	} {
		path := filepath.Join(l.out, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, data, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// cold are modules that are at work only at the start, or only in the broker of
// standalone: without inlining they take 1.5 MB less.
var cold = []string{"github.com/nats-io/nats-server", "github.com/alecthomas/kong", "github.com/goccy/go-yaml", "github.com/antlr4-go/antlr", "github.com/santhosh-tekuri/jsonschema"}

// build compiles the overlay. Nothing of the machine is in the result: no paths, no
// build id, no C.
func (l layout) build(list []command, out string) error {
	dir, err := os.MkdirTemp("", "changerelay-image-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	overlay, err := overlay(list, dir)
	if err != nil {
		return err
	}
	args := []string{"build", "-overlay", overlay, "-trimpath", "-buildvcs=false", "-o", out,
		"-ldflags", "-s -w -buildid= -X changerelay/cmd/internal/boot.version=" + l.version}
	for _, module := range cold {
		args = append(args, "-gcflags="+module+"/...=-l")
	}
	cmd := exec.Command("go", append(args, "./"+bundle)...)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux")
	if l.arch != "" {
		cmd.Env = append(cmd.Env, "GOARCH="+l.arch)
	}
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	return cmd.Run()
}
