package main

import (
	"bytes"
	"io"
	"sync"
	"time"
)

// Bounds of the log's buffer.
const (
	logDelay = 100 * time.Millisecond // longest that a line waits
	logRoom  = 32 << 10               // bytes that wait at most
)

// A logBuffer writes a log's lines of level info several at a time: a system
// call for each would cost a request more than its signature. Any other line
// goes out at once, with those before it.
//
// A process that is killed takes the lines of its last logDelay with it. No
// promise is lost with them: what a sender was told is in the broker.
type logBuffer struct {
	w io.Writer

	mu    sync.Mutex
	lines []byte
	timer *time.Timer // runs while lines wait
}

func newLogBuffer(w io.Writer) *logBuffer {
	b := &logBuffer{w: w, lines: make([]byte, 0, logRoom)}
	b.timer = time.AfterFunc(logDelay, func() { _ = b.Flush() })
	b.timer.Stop()
	return b
}

// Write takes one line, as package slog gives them.
func (b *logBuffer) Write(line []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.lines)+len(line) > logRoom {
		if err := b.flush(); err != nil {
			return 0, err
		}
	}
	if len(b.lines) == 0 {
		b.timer.Reset(logDelay)
	}
	b.lines = append(b.lines, line...)
	if len(b.lines) > logRoom || !isInfo(line) {
		return len(line), b.flush()
	}
	return len(line), nil
}

// Flush writes the lines that wait.
func (b *logBuffer) Flush() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.flush()
}

func (b *logBuffer) flush() error {
	b.timer.Stop()
	lines := b.lines
	b.lines = b.lines[:0]
	if len(lines) == 0 {
		return nil
	}
	_, err := b.w.Write(lines)
	return err
}

// isInfo looks for the level where slog's handlers put it: first after the time.
func isInfo(line []byte) bool {
	_, level, _ := bytes.Cut(line, []byte("level"))
	return bytes.HasPrefix(level, []byte(`":"INFO"`)) || bytes.HasPrefix(level, []byte("=INFO "))
}
