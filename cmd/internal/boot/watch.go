package boot

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"log/slog"
	"os"
	"os/signal"
	"slices"
	"syscall"
	"time"

	"changerelay/internal/ingest"
	"changerelay/internal/relay"
)

// pollEvery is how often the files are looked at. Contents are compared, because
// Kubernetes swaps a symbolic link for all files of a mount, and no inode that
// could be watched changes. Reading some kilobytes costs nothing, and a kubelet
// takes a minute to bring a new secret anyway.
const pollEvery = 3 * time.Second

// A fingerprint is the SHA-256 of the configuration file and of the files that
// it names.
type fingerprint [sha256.Size]byte

// A watcher reads sources, tenants, certificates and the log's level again when they have changed or
// somebody says so. Its fields are run's alone, once that runs.
//
//	changed, and then the same for one more look ─┐
//	SIGHUP ───────────────────────────────────────┴─► reload ─┬─ all good: in force
//	                                                          └─ a mistake: logged once, the old stays in force
type watcher struct {
	log     *slog.Logger
	roles   relay.Role
	started *Config           // what runs, of everything but sources and tenants
	sources []ingest.Source   // in force
	tenants map[string]Tenant // in force
	worker  Service           // nil without that role
	tls     *certificates     // nil without TLS
	away    bool              // a source is offline from the start

	hangups <-chan os.Signal
	ticks   <-chan time.Time

	read  reading     // the configuration file's last content
	tried fingerprint // what was reloaded last, good or bad
	seen  fingerprint // at the last look
}

// A reading is a configuration file's content, and what it means.
type reading struct {
	sum    [sha256.Size]byte
	config *Config
	err    error
}

// watch reads what can change while the process runs.
func (c *Config) watch(roles relay.Role, log *slog.Logger) (*watcher, error) {
	w := &watcher{log: log, roles: roles, started: c.from.loaded, tenants: c.Tenants, read: reading{sum: c.from.sum, config: c}}
	w.tried = w.fingerprint(nil) // before the secrets are read: a change meanwhile is seen later
	d := c.reporter()
	if c.Ingest.TLS != nil {
		w.tls = &certificates{files: *c.Ingest.TLS}
		w.tls.reload(d)
	}
	if len(d.mistakes) > 0 {
		return nil, d.mistakes.sorted()
	}
	var err error
	w.sources, err = w.readSources(c)
	if hard := (Mistakes)(nil); errors.As(err, &hard) {
		return nil, hard
	}
	w.away = err != nil
	return w, nil
}

// run reloads until ctx ends. It gives what is new to apply, which takes all of
// it or nothing, and after each reload says whether it was good. So it does of the
// start if that was not.
func (w *watcher) run(ctx context.Context, apply func(relay.Change) error, report func(ok bool)) {
	defer w.listen()()
	if w.away {
		report(false)
	}
	for {
		select {
		case <-ctx.Done():
			return
		case <-w.hangups:
			w.seen = w.look()
		case <-w.ticks:
			now := w.look()
			// A file that is being written is not what it will be: one that
			// ends early can be a good configuration without half its sources.
			if now == w.tried || now != w.seen {
				w.seen = now
				continue
			}
		}
		w.tried = w.seen
		report(w.reload(apply))
	}
}

// listen starts signals and ticks, unless a test has its own.
func (w *watcher) listen() (stop func()) {
	if w.ticks != nil {
		return func() {}
	}
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	ticker := time.NewTicker(pollEvery)
	w.hangups, w.ticks = hangups, ticker.C
	return func() { signal.Stop(hangups); ticker.Stop() }
}

// look reads the configuration file, if it has changed, and every other file.
func (w *watcher) look() fingerprint {
	data, err := readConfig(w.started.from.file)
	if sum := sha256.Sum256(data); err != nil {
		w.read = reading{err: err}
	} else if w.read.err != nil || sum != w.read.sum {
		w.read = reading{sum: sum}
		if w.read.config, w.read.err = Parse(w.started.from.file, data); w.read.err == nil {
			w.read.config.keepFor(w.roles)
		}
	}
	return w.fingerprint(err)
}

// fingerprint is that of the last look; err is of reading the configuration. An
// error counts as content.
func (w *watcher) fingerprint(err error) fingerprint {
	h := sha256.New()
	add := func(b []byte, err error) {
		if err != nil {
			b = []byte(err.Error())
		}
		h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(b))))
		h.Write(b)
	}
	add(w.read.sum[:], err)
	for _, path := range w.files() {
		add(readFile(path, maxCertificates))
	}
	return fingerprint(h.Sum(nil))
}

// files are those that may change: of the sources and tenants as the file has them
// now, and of the TLS that runs.
func (w *watcher) files() (list []string) {
	if t := w.started.Ingest.TLS; t != nil {
		list = append(list, t.CertFile, t.KeyFile, t.ClientCAFile)
	}
	if w.read.config != nil {
		for _, s := range w.read.config.Sources {
			list = append(list, s.files()...)
		}
		if w.roles&relay.Worker != 0 { // ingest may not even have them
			for _, t := range w.read.config.Tenants {
				list = append(list, t.Files()...)
			}
		}
	}
	list = slices.DeleteFunc(list, func(path string) bool { return path == "" })
	slices.Sort(list)
	return slices.Compact(list)
}
