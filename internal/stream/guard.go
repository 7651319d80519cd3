package stream

import (
	"fmt"
	"log/slog"
	"runtime"
	"runtime/debug"
)

// Guard calls f and reports whether it returned. If f panicked, that is logged,
// with attrs: the fault is ours, and one message that meets it must not end the
// worker, which all others would wait for. The caller puts back what f had in
// hand, for PanicPause.
//
// f's own goroutines are not guarded; each of them needs its own.
func Guard(log *slog.Logger, f func(), attrs ...any) (ok bool) {
	defer func() {
		if ok {
			return
		}
		v := recover()
		if v == nil {
			return // runtime.Goexit
		}
		c, passed := v.(*crash)
		if !passed {
			c = &crash{v, debug.Stack()}
		}
		log.Error("a handler panicked; its messages are put back. This is a bug: report it with the stack",
			append([]any{"panic", c.what(), "stack", string(c.stack)}, attrs...)...)
	}()
	f()
	return true
}

// A crash is a panic on its way from the goroutine that met it to the one that
// waits.
type crash struct {
	value any
	stack []byte
}

// what is the panic in words that are surely not a message's: those of the
// runtime, or else the type alone. A stack has no texts, only their addresses.
func (c *crash) what() string {
	if err, ok := c.value.(runtime.Error); ok {
		return err.Error()
	}
	return fmt.Sprintf("a %T", c.value)
}

// Error is for the death of a program without a Guard.
func (c *crash) Error() string { return fmt.Sprintf("%v\n\n%s", c.value, c.stack) }

// carry calls f, and returns its panic if it had one.
func carry(f func()) (c *crash) {
	defer func() {
		if v := recover(); v != nil {
			c = &crash{v, debug.Stack()}
		}
	}()
	f()
	return nil
}
