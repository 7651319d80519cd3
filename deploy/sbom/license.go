package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// texts are what only one licence says, by its SPDX name; the first that fits counts.
var texts = []struct{ id, says string }{
	{"Apache-2.0", "apache license version 2.0"},
	{"MPL-2.0", "mozilla public license version 2.0"},
	{"MPL-2.0", "mozilla public license, version 2.0"},
	{"MIT", "permission is hereby granted, free of charge, to any person obtaining a copy"},
	{"BSD-3-Clause", "may be used to endorse or promote products derived from"},
	{"BSD-2-Clause", "redistribution and use in source and binary forms"},
	{"ISC", "permission to use, copy, modify, and/or distribute this software for any purpose"},
}

// found is the licence of a module's folder, "" if none is known.
func found(folder string) string {
	if folder == "" {
		return ""
	}
	files, _ := filepath.Glob(filepath.Join(folder, "LICEN[SC]E*")) // the patterns are good
	others, _ := filepath.Glob(filepath.Join(folder, "COPYING*"))
	for _, file := range append(files, others...) {
		text, err := os.ReadFile(file)
		if err != nil {
			continue
		}
		plain := strings.ToLower(strings.Join(strings.Fields(string(text)), " "))
		for _, t := range texts {
			if strings.Contains(plain, t.says) {
				return t.id
			}
		}
	}
	return ""
}

// folders are where the sources of this module's requirements lie, by path@version,
// and Go's own under stdlib.
func folders() (map[string]string, error) {
	all := map[string]string{}
	out, err := exec.Command("go", "list", "-m", "-f", "{{with .Replace}}{{.Path}}@{{.Version}} {{.Dir}}{{else}}{{.Path}}@{{.Version}} {{.Dir}}{{end}}", "all").Output()
	if err != nil {
		return nil, fmt.Errorf("listing modules: %w", err)
	}
	for line := range strings.Lines(string(out)) {
		module, folder, _ := strings.Cut(strings.TrimSpace(line), " ")
		all[module] = folder
	}
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		return nil, fmt.Errorf("asking for GOROOT: %w", err)
	}
	all["stdlib"] = strings.TrimSpace(string(root))
	return all, nil
}
