// Command sbom writes the bill of materials of Go binaries, in CycloneDX 1.6: which
// modules each was linked of, by what the linker wrote into it (go version -m), not by
// what go.mod might have meant. The same binaries give the same bytes.
//
//	bin/* ──► build information ──► modules ──► module cache: LICENSE ──► sbom.cdx.json
//
// A licence is known by its text. A module whose licence has no text that is known, or
// whose source is not in the module cache, is listed without one.
package main

import (
	"debug/buildinfo"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	version := flag.String("version", "devel", "version of the binaries")
	out := flag.String("o", "bin/sbom.cdx.json", "file to write")
	flag.Parse()
	if err := run(*out, *version, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "sbom:", err)
		os.Exit(1)
	}
}

func run(out, version string, paths []string) error {
	if len(paths) == 0 {
		return fmt.Errorf("no binary is named; want sbom bin/changerelay-ingest and so on")
	}
	var programs []program
	for _, path := range paths {
		info, err := buildinfo.ReadFile(path)
		if err != nil {
			return fmt.Errorf("reading %s: %w", path, err)
		}
		programs = append(programs, program{filepath.Base(path), info})
	}
	folders, err := folders()
	if err != nil {
		return err
	}
	b, err := json.MarshalIndent(list(version, programs, folders), "", "  ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(out, append(b, '\n'), 0o644); err != nil {
		return fmt.Errorf("writing the bill of materials: %w", err)
	}
	return nil
}
