package runbook

import (
	"os/exec"
	"testing"

	"changerelay/internal/promtest"
)

func TestPromtool(t *testing.T) {
	promtool := promtest.Tool(t, "promtool")
	for _, args := range [][]string{
		append([]string{"check", "rules", "--lint=all", "--lint-fatal"}, ruleFiles(t)...),
		append([]string{"test", "rules"}, testFiles(t)...),
	} {
		if out, err := exec.Command(promtool, args...).CombinedOutput(); err != nil {
			t.Errorf("promtool %s %s: %v\n%s", args[0], args[1], err, out)
		}
	}
}
