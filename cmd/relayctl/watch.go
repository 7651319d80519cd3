package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"time"
)

// look calls f once, or again and again, and prints what it returns, which may be
// a part beside an error. The error is that of the last look.
func (w watch) look(ctx context.Context, out io.Writer, form form, f func(context.Context) (view, error)) error {
	if w.Watch == 0 {
		v, err := f(ctx)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if v != nil {
			if err := form.show(out, v); err != nil {
				return err
			}
		}
		return err
	}
	watching, stop := ctx, context.CancelFunc(func() {})
	if w.Timeout > 0 {
		watching, stop = context.WithTimeout(ctx, w.Timeout)
	}
	defer stop()
	err := watcherOf(out, form).run(watching, time.Duration(w.Watch), f)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

// A watcher prints what has changed since the last look.
type watcher struct {
	out      io.Writer
	form     form
	terminal bool

	last map[string]string // by state, or by line of JSON
}

func watcherOf(out io.Writer, form form) *watcher {
	f, ok := out.(*os.File)
	if ok {
		i, err := f.Stat()
		ok = err == nil && i.Mode()&os.ModeCharDevice != 0
	}
	return &watcher{out: out, form: form, terminal: ok}
}

// run looks until ctx ends.
func (w *watcher) run(ctx context.Context, pause time.Duration, f func(context.Context) (view, error)) (last error) {
	for {
		v, err := f(ctx)
		if ctx.Err() != nil {
			return last // what was cut short says nothing
		}
		last = err
		if err := w.tell(v, err); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return last
		case <-time.After(pause):
		}
	}
}

func (w *watcher) tell(v view, failed error) error {
	switch {
	case w.form.json():
		return w.lines(v, failed)
	case w.terminal:
		return w.redraw(v, failed)
	}
	return w.changes(v, failed)
}

// redraw writes the screen at once, so that it does not flicker.
func (w *watcher) redraw(v view, failed error) error {
	var b bytes.Buffer
	b.WriteString("\x1b[H\x1b[2J")
	if v != nil {
		if err := v.print(&b); err != nil {
			return err
		}
	}
	if failed != nil {
		fmt.Fprintf(&b, "\n%s\n", clean(failed.Error()))
	}
	_, err := w.out.Write(b.Bytes())
	return err
}

// changes writes a line for each state that is new, another or gone.
func (w *watcher) changes(v view, failed error) error {
	var now []state
	if v != nil {
		now = v.states()
	}
	if failed != nil {
		now = append(now, state{"error", failed.Error()})
	}
	at, next := time.Now().UTC().Format(time.RFC3339), map[string]string{}
	for _, s := range now {
		for _, again := next[s.name]; again; _, again = next[s.name] {
			s.name += " (also)"
		}
		next[s.name] = s.is
		if was, there := w.last[s.name]; there && was == s.is {
			continue
		}
		if _, err := fmt.Fprintf(w.out, "%s %s: %s\n", at, clean(s.name), clean(s.is)); err != nil {
			return err
		}
	}
	for _, name := range sortedKeys(w.last) {
		if _, still := next[name]; !still {
			if _, err := fmt.Fprintf(w.out, "%s %s: no more\n", at, clean(name)); err != nil {
				return err
			}
		}
	}
	w.last = next
	return nil
}

// lines writes the objects that are not as any was at the last look.
func (w *watcher) lines(v view, failed error) error {
	objects := []any{}
	if v != nil {
		objects = v.objects()
	}
	if failed != nil {
		objects = append(objects, map[string]string{"error": failed.Error()})
	}
	next := map[string]string{}
	for _, o := range objects {
		var b bytes.Buffer
		if err := printJSON(&b, o); err != nil {
			return err
		}
		next[b.String()] = ""
		if _, same := w.last[b.String()]; same {
			continue
		}
		if _, err := w.out.Write(b.Bytes()); err != nil {
			return err
		}
	}
	w.last = next
	return nil
}

func sortedKeys(m map[string]string) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
