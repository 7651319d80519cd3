package main

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func handlers(b *logBuffer) map[string]slog.Handler {
	return map[string]slog.Handler{"json": slog.NewJSONHandler(b, nil), "text": slog.NewTextHandler(b, nil)}
}

func TestInfoWaitsAndTheRestDoesNot(t *testing.T) {
	for _, format := range []string{"json", "text"} {
		synctest.Test(t, func(t *testing.T) {
			var out bytes.Buffer
			b := newLogBuffer(&out)
			log := slog.New(handlers(b)[format])
			wants := func(when string, lines int) {
				t.Helper()
				b.mu.Lock() // out is written under it
				defer b.mu.Unlock()
				if got := strings.Count(out.String(), "\n"); got != lines {
					t.Errorf("%s, %s: %d lines are out, want %d", format, when, got, lines)
				}
			}
			log.Info("one", "level", "ERROR")
			log.Info("two")
			time.Sleep(logDelay - 1)
			wants("before the delay", 0)
			time.Sleep(time.Nanosecond)
			synctest.Wait()
			wants("after it", 2)
			log.Info("three")
			log.Warn("four", "level", "INFO")
			wants("after a warning", 4)
			log.Info("five", "text", strings.Repeat("x", logRoom))
			wants("beyond the room", 5)
			log.Info("six")
			wants("at the end", 5)
			if err := b.Flush(); err != nil {
				t.Error(err)
			}
			wants("after Flush", 6)
			for i, line := range strings.Split(strings.TrimSpace(out.String()), "\n") {
				if word := []string{"one", "two", "three", "four", "five", "six"}[i]; !strings.Contains(line, word) {
					t.Errorf("%s: line %d is %.100q, want %s", format, i, line, word)
				}
			}
		})
	}
}

// A line is never cut by another writer's: each Write of the buffer is whole lines.
func TestWholeLines(t *testing.T) {
	var out wholeLines
	b := newLogBuffer(&out)
	log := slog.New(slog.NewJSONHandler(b, nil))
	for range 2000 {
		log.Info("request", "ids", strings.Repeat("i", 100))
	}
	if err := b.Flush(); err != nil || out.lines != 2000 || out.writes < 2 || out.writes > 50 || out.cut {
		t.Errorf("%d lines in %d writes, cut %v, %v; want 2000 in a few, whole", out.lines, out.writes, out.cut, err)
	}
}

type wholeLines struct {
	lines, writes int
	cut           bool
}

func (w *wholeLines) Write(p []byte) (int, error) {
	w.writes++
	w.lines += bytes.Count(p, []byte("\n"))
	w.cut = w.cut || !bytes.HasSuffix(p, []byte("\n"))
	return len(p), nil
}
