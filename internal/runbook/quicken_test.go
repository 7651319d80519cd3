package runbook

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
	"time"
)

// The durations of a rule file: a range, what must hold for how long, and a
// number of minutes or days in a comparison. The two minutes after which a look
// is old are a plain number: programs look every 15 s, however quick the rules are.
var durations = regexp.MustCompile(`\[(\d+[smhd])\]|\bfor: (\d+[smhd])\b|\b(\d+) \* (60|86400)\b`)

// quicken writes the rule files with each duration divided by factor.
func quicken(t *testing.T, factor int) (paths []string) {
	t.Helper()
	dir := t.TempDir()
	for _, path := range ruleFiles(t) {
		quick := durations.ReplaceAllStringFunc(read(t, path), func(s string) string {
			switch m := durations.FindStringSubmatch(s); {
			case m[1] != "":
				return "[" + divide(t, m[1], factor) + "]"
			case m[2] != "":
				return "for: " + divide(t, m[2], factor)
			default:
				return s + " / " + strconv.Itoa(factor)
			}
		})
		to := filepath.Join(dir, filepath.Base(path))
		if err := os.WriteFile(to, []byte(quick), 0o600); err != nil {
			t.Fatal(err)
		}
		paths = append(paths, to)
	}
	return paths
}

func divide(t *testing.T, text string, factor int) string {
	t.Helper()
	unit := map[byte]time.Duration{'s': time.Second, 'm': time.Minute, 'h': time.Hour, 'd': 24 * time.Hour}[text[len(text)-1]]
	n, err := strconv.Atoi(text[:len(text)-1])
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%dms", (time.Duration(n) * unit / time.Duration(factor)).Milliseconds())
}

func TestDurationsAreDivided(t *testing.T) {
	for in, want := range map[string]string{"5m": "15000ms", "1d": "4320000ms", "1h": "180000ms", "30s": "1500ms"} {
		if got := divide(t, in, 20); got != want {
			t.Errorf("%s by 20 is %s, want %s", in, got, want)
		}
	}
	left := regexp.MustCompile(`[\[ ]\d+[smhd]\b`)
	for _, path := range quicken(t, 20) {
		for _, expr := range regexp.MustCompile(`(?s)expr: .*?\n        (?:for|labels):[^\n]*`).FindAllString(read(t, path), -1) {
			if s := left.FindString(expr); s != "" {
				t.Errorf("%s: %q is left as it was in %s", filepath.Base(path), s, expr)
			}
		}
	}
}
