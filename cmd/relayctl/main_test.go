package main

import (
	"strings"
	"testing"
	"time"
)

// The help of each command shows how it is typed.
func TestHelpHasExamples(t *testing.T) {
	for _, command := range []string{"", "send", "status", "device", "source", "source list", "source check", "dead", "dead list", "dead show", "tenants", "tenants list", "tenants resume", "audit", "audit list", "dead replay", "dead drop", "doctor", "completion", "config", "config lint", "config schema"} {
		got := runWith(t, "", append(strings.Fields(command), "--help")...)
		_, examples, ok := strings.Cut(got.out, "\nExamples:\n\n")
		if got.code != 0 || !ok || !strings.Contains(examples, strings.TrimSpace("    relayctl "+command)) {
			t.Errorf("relayctl %s --help: %d\n%s", command, got.code, got.out)
		}
	}
}

func TestTimesAreReadable(t *testing.T) {
	now := time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)
	for d, want := range map[time.Duration]string{
		0: "now", 400 * time.Millisecond: "now", time.Second: "1s ago", 59 * time.Second: "59s ago", 90 * time.Second: "1m ago",
		47 * time.Hour: "47h ago", 49 * time.Hour: "2d ago", -40 * time.Second: "in 40s", -30 * 24 * time.Hour: "in 30d",
	} {
		if got := away(now.Add(-d), now); got != want {
			t.Errorf("%v: %s, want %s", d, got, want)
		}
	}
	if got := stamp(now.In(time.FixedZone("", 3600)), now.Add(time.Hour)); got != "2026-11-23T10:00:00Z (1h ago)" {
		t.Error(got)
	}
	if got := stamp(time.Time{}, now); got != "" {
		t.Error(got)
	}
}

func TestCleanIsSafeForATerminal(t *testing.T) {
	if got := clean("a\x1b[2Jb\nc\u202e\xffé"); got != "a [2Jb c \uFFFDé" {
		t.Errorf("%q", got)
	}
}
