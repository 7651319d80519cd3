package boot

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"maps"
	"reflect"
	"slices"

	"changerelay/internal/ingest"
	"changerelay/internal/ingest/verify"
	"changerelay/internal/relay"
)

// reload puts what the last look has read into force, certificates and the rest
// each by themselves: a mistake in a source must not let the certificate expire.
func (w *watcher) reload(apply func(relay.Change) error) bool {
	return errors.Join(w.reloadTLS(), w.reloadEntries(apply)) == nil
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

// reloadEntries puts tenants and sources in force: tenants first, because a source
// may speak for a new one.
func (w *watcher) reloadEntries(apply func(relay.Change) error) error {
	const what = "sources and tenants"
	if w.read.err != nil {
		return w.refuse(what, w.read.err)
	}
	c := w.read.config
	if err := w.startable(c); err != nil {
		return w.refuse(what, err)
	}
	fresh, away := w.readSources(c)
	if hard := (Mistakes)(nil); errors.As(away, &hard) {
		return w.refuse(what, hard)
	}
	sources, tenants := compare(named(w.sources), named(fresh), sameSource), compare(w.tenants, c.Tenants, Tenant.Alike)
	if w.worker != nil { // it sees what has changed in the files, too, and logs whom it cannot call
		away = errors.Join(away, w.worker.Reload(c))
	}
	if !sources.none() || !tenants.none() {
		if err := apply(relay.Change{Sources: fresh, Tenants: c.TenantNames(), Quotas: c.quotas()}); err != nil {
			return w.refuse("sources", err)
		}
	}
	w.sources, w.tenants = fresh, c.Tenants
	w.setLevel(c.Log)
	w.log.Info("configuration read again", "file", w.started.from.file, "sources", sources, "tenants", tenants)
	for _, section := range w.waiting(c) {
		w.log.Warn("a changed section needs a restart, and is as it was until then", "file", w.started.from.file, "section", section)
	}
	return away
}

// errAway says that the log has named a source whose secrets cannot be read.
var errAway = errors.New("a source's secrets cannot be read")

// readSources reads the secrets of every source. One whose secrets cannot be read
// or used holds no other up: it is as it was, or else offline, until its files have
// changed. The error is errAway then, and Mistakes if the sources cannot be in
// force together.
func (w *watcher) readSources(c *Config) (list []ingest.Source, err error) {
	running := named(w.sources)
	for _, name := range sorted(c.Sources) {
		d := c.reporter()
		s := d.ingestSource(name, c.Sources[name])
		if len(d.mistakes) > 0 {
			err = errAway
			was, had := running[name]
			now := "it is offline, and its requests are answered 503, until they are"
			if had && !was.Offline && c.hasAll(was.Tenants) {
				s, now = was, "it is as it was until they are"
			} else {
				s.Checks, s.Offline = verify.Config{}, true
			}
			for _, m := range d.mistakes.sorted() {
				w.log.Error("a source's secrets are not as they should be: "+now, "source", name, "err", m)
			}
		}
		list = append(list, s)
	}
	d := c.reporter()
	for _, clash := range ingest.Clashes(list) {
		d.clash(c.Sources[clash.Source], clash)
	}
	if len(d.mistakes) > 0 {
		return nil, d.mistakes.sorted()
	}
	return list, err
}

// setLevel has the log follow, and says so while the lower of the two levels is in
// force: at the higher one nobody might see it.
func (w *watcher) setLevel(l Log) {
	was, is := w.started.from.level.Level(), l.level()
	if is == was {
		return
	}
	w.started.from.level.Set(min(was, is))
	w.log.Warn("the log's level is another now", "was", was, "is", is)
	w.started.from.level.Set(is)
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

// hasAll reports whether the tenants are configured.
func (c *Config) hasAll(tenants []string) bool {
	return !slices.ContainsFunc(tenants, func(name string) bool { _, ok := c.Tenants[name]; return name != "*" && !ok })
}

// startable refuses sources that lean on what only a restart brings: they would
// never let anything in.
func (w *watcher) startable(c *Config) error {
	d := c.reporter()
	for name, s := range c.Sources {
		if t := w.started.Ingest.TLS; s.Certificate != nil && (t == nil || t.ClientCAFile == "") {
			d.bad("sources."+name+".certificate", "ingest.tls.client_ca_file is new in this file; restart to have it")
		}
	}
	if len(d.mistakes) == 0 {
		return nil
	}
	return d.mistakes.sorted()
}

// waiting are the sections, but sources, tenants and the log's level, that are not as they run. Secrets of
// these are read when they are used; here only their places are compared.
func (w *watcher) waiting(c *Config) (names []string) {
	now := *w.started
	now.Log.Level = c.Log.Level // in force by now
	was, is := reflect.ValueOf(now), reflect.ValueOf(*c)
	_, all := keys(was.Type())
	index, _ := keys(was.Type())
	for _, name := range all {
		a, b := was.FieldByIndex(index[name].Index).Interface(), is.FieldByIndex(index[name].Index).Interface()
		if name != "sources" && name != "tenants" && !alike(a, b) {
			names = append(names, name)
		}
	}
	return names
}

// Alike reports whether the two tenants are configured the same. Their secrets are
// read when they are used; only their places are compared.
func (t Tenant) Alike(o Tenant) bool { return alike(t, o) }

// alike compares what the file says, and not where in it.
func alike(a, b any) bool {
	x, errX := json.Marshal(a)
	y, errY := json.Marshal(b)
	return errors.Join(errX, errY) == nil && bytes.Equal(x, y)
}

// A change is what differs between two sets of entries, by name.
type change struct{ added, removed, changed []string }

func (c change) none() bool { return len(c.added)+len(c.removed)+len(c.changed) == 0 }

// LogValue shows a change in the log.
func (c change) LogValue() slog.Value {
	return slog.GroupValue(slog.Any("added", c.added), slog.Any("removed", c.removed), slog.Any("changed", c.changed))
}

func compare[T any](old, fresh map[string]T, same func(a, b T) bool) (c change) {
	for _, name := range sorted(fresh) {
		switch o, there := old[name]; {
		case !there:
			c.added = append(c.added, name)
		case !same(o, fresh[name]):
			c.changed = append(c.changed, name)
		}
	}
	for _, name := range sorted(old) {
		if _, still := fresh[name]; !still {
			c.removed = append(c.removed, name)
		}
	}
	return c
}

// sameSource also sees that a secret has changed.
func sameSource(a, b ingest.Source) bool { return reflect.DeepEqual(a, b) }

func named(list []ingest.Source) map[string]ingest.Source {
	m := map[string]ingest.Source{}
	for _, s := range list {
		m[s.Name] = s
	}
	return m
}

func sorted[T any](m map[string]T) []string { return slices.Sorted(maps.Keys(m)) }
