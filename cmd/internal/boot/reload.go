package boot

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"reflect"
	"slices"

	"changerelay/internal/ingest"
)

// reload puts what the last look has read into force, certificates and sources
// each by themselves: a mistake in a source must not let the certificate expire.
func (w *watcher) reload(apply func([]ingest.Source) error) bool {
	return errors.Join(w.reloadTLS(), w.reloadSources(apply)) == nil
}

func (w *watcher) reloadTLS() error {
	if w.tls == nil {
		return nil
	}
	d := w.started.reporter()
	w.tls.reload(d)
	if len(d.mistakes) > 0 {
		return w.refuse("certificates", d.mistakes)
	}
	return nil
}

func (w *watcher) reloadSources(apply func([]ingest.Source) error) error {
	if w.read.err != nil {
		return w.refuse("sources", w.read.err)
	}
	if err := w.startable(w.read.config); err != nil {
		return w.refuse("sources", err)
	}
	fresh, err := w.read.config.IngestSources()
	if err != nil {
		return w.refuse("sources", err)
	}
	c := compare(w.sources, fresh)
	if !c.none() {
		if err := apply(fresh); err != nil {
			return w.refuse("sources", err)
		}
	}
	w.sources = fresh
	w.log.Info("configuration read again", "file", w.started.from.file, "added", c.added, "removed", c.removed, "changed", c.changed)
	for _, section := range w.waiting(w.read.config) {
		w.log.Warn("a changed section needs a restart, and is as it was until then", "file", w.started.from.file, "section", section)
	}
	return nil
}

// refuse logs every mistake.
func (w *watcher) refuse(what string, err error) error {
	list := []error{err}
	if ms := (Mistakes)(nil); errors.As(err, &ms) {
		list = nil
		for _, m := range ms {
			list = append(list, m)
		}
	}
	for _, e := range list {
		w.log.Error("configuration not read again: the old "+what+" stay in force", "err", e)
	}
	return err
}

// startable refuses sources that lean on what only a restart brings: they would
// take their senders' changes and do nothing with them.
func (w *watcher) startable(c *Config) error {
	d := c.reporter()
	for name, s := range c.Sources {
		for i, t := range s.Tenants {
			if _, ok := w.started.Tenants[t]; !ok && t != "*" {
				d.bad(entry("sources."+name+".tenants", i), "tenants.%s is new in this file; restart to have it, then the source can be added", t)
			}
		}
		if t := w.started.Ingest.TLS; s.Certificate != nil && (t == nil || t.ClientCAFile == "") {
			d.bad("sources."+name+".certificate", "ingest.tls.client_ca_file is new in this file; restart to have it")
		}
	}
	if len(d.mistakes) == 0 {
		return nil
	}
	return d.mistakes.sorted()
}

// waiting are the sections, but sources, that are not as they run. Secrets of
// these are read when they are used; here only their places are compared.
func (w *watcher) waiting(c *Config) (names []string) {
	was, is := reflect.ValueOf(*w.started), reflect.ValueOf(*c)
	_, all := keys(was.Type())
	index, _ := keys(was.Type())
	for _, name := range all {
		a, errA := json.Marshal(was.FieldByIndex(index[name].Index).Interface())
		b, errB := json.Marshal(is.FieldByIndex(index[name].Index).Interface())
		if name != "sources" && (errors.Join(errA, errB) != nil || !bytes.Equal(a, b)) {
			names = append(names, name)
		}
	}
	return names
}

// A change is what differs between two lists of sources, by name.
type change struct{ added, removed, changed []string }

func (c change) none() bool { return len(c.added)+len(c.removed)+len(c.changed) == 0 }

// compare also sees that a secret has changed.
func compare(old, fresh []ingest.Source) (c change) {
	was := map[string]ingest.Source{}
	for _, s := range old {
		was[s.Name] = s
	}
	for _, s := range fresh {
		o, there := was[s.Name]
		delete(was, s.Name)
		switch {
		case !there:
			c.added = append(c.added, s.Name)
		case !reflect.DeepEqual(o, s):
			c.changed = append(c.changed, s.Name)
		}
	}
	c.removed = sorted(was)
	return c
}

func sorted[T any](m map[string]T) []string { return slices.Sorted(maps.Keys(m)) }
