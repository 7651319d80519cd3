package main

import (
	"context"
	"os/exec"
	"strings"
)

// commit is what is measured. A tree that differs from it says so; the documents
// do not count, a session writes to them.
func commit(ctx context.Context) string {
	out, err := exec.CommandContext(ctx, "git", "rev-parse", "--short", "HEAD").Output()
	if err != nil {
		return ""
	}
	c := strings.TrimSpace(string(out))
	if exec.CommandContext(ctx, "git", "diff", "--quiet", "HEAD", "--", ".", ":!docs").Run() != nil {
		c += " with changes"
	}
	return c
}

// told are the modules whose versions a figure depends on.
var told = []struct{ name, path string }{
	{"Echo", "github.com/labstack/echo/v4"}, {"nats-server", "github.com/nats-io/nats-server/v2"}, {"nats.go", "github.com/nats-io/nats.go"},
}

// versions are those that the benchmarks are built with.
func versions(ctx context.Context) (list []string) {
	for _, m := range told {
		out, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Version}}", m.path).Output()
		if err == nil {
			list = append(list, m.name+" "+strings.TrimPrefix(strings.TrimSpace(string(out)), "v"))
		}
	}
	return list
}
