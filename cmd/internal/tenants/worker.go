package tenants

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"slices"

	"changerelay/cmd/internal/boot"
	"changerelay/internal/quota"
	"changerelay/internal/tracing"
	"changerelay/internal/worker"
	"changerelay/internal/working"
)

// A service is the worker of a process, and what it was made of.
type service struct {
	*working.Service
	log  *slog.Logger
	made map[string]made // only Reload writes it, and there is one at a time
}

// made is a tenant and what it was made of.
type made struct {
	config boot.Tenant
	ca     print // of its CA file
	proof  print // of its credential's files
	tenant worker.Tenant
}

// offline is what people are told who ask what a change waits for. The log says
// more: which file it is.
const offline = "the tenant is offline: its credential or its ca_file cannot be used; the worker's log and relayctl doctor say why"

// NewService makes the worker of a configuration. It is a boot.NewService. A tenant
// that cannot be called stops no start: the others are none of its business.
func NewService(c *boot.Config, log *slog.Logger, t *tracing.Tracer) (boot.Service, error) {
	w := &service{log: log, Service: working.New(working.Parts{
		Broker:         c.Streams(log),
		Timing:         c.Worker.Timing.Protocol(),
		MaxAge:         c.Worker.Timing.MaxAge,
		FoldSlots:      c.Worker.FoldSlots,
		ReconcileSlots: c.Worker.ReconcileSlots,
		Pace:           c.Worker.Pace,
		Log:            log,
		Tracer:         t,
	})}
	_ = w.Reload(c) // is logged
	return w, nil
}

// Reload puts the configuration's tenants in force. One that is as it was keeps its
// client, and with it token and connections. One whose client cannot be made is as
// it was, or else offline, until its files are others; it is logged and in the error.
func (w *service) Reload(c *boot.Config) error {
	next, tenants := map[string]made{}, map[string]worker.Tenant{}
	var errs []error
	var renewed []string
	for _, name := range slices.Sorted(maps.Keys(c.Tenants)) {
		was, had := w.made[name]
		m, err := remake(c, name, was)
		switch {
		case err != nil:
			errs = append(errs, err)
			w.log.Error(map[bool]string{true: "a tenant is offline, its changes wait", false: "a tenant is as it was"}[m.tenant.Graph == nil]+
				": correct what the error names; it is read again when it changes", "tenant", name, "err", err)
		case had && was.tenant.Graph == nil:
			w.log.Info("a tenant is no longer offline", "tenant", name)
		case had && m.proof != was.proof:
			renewed = append(renewed, name)
		}
		next[name], tenants[name] = m, m.tenant
	}
	w.made = next
	w.SetTenants(tenants)
	for _, name := range renewed {
		w.Retry(name)
	}
	return errors.Join(errs...)
}

// remake is the tenant as the configuration and the files have it now. Of a new
// credential the client hears by itself.
func remake(c *boot.Config, name string, was made) (made, error) {
	t := c.Tenants[name]
	m := made{config: t, ca: printOf(t.CAFile), proof: printOf(t.Files()...)}
	if was.tenant.Graph != nil && was.ca == m.ca && was.config.Alike(t) {
		m.tenant = was.tenant
		return m, nil
	}
	g, err := Graph(c, name)
	if err != nil && was.tenant.Graph != nil {
		return was, err
	}
	m.tenant = worker.Tenant{Graph: g, TenantID: t.TenantID, ClientID: t.Application(),
		Write: quota.Limit{Rate: t.Quota.WritesPerSecond, Burst: t.Quota.WriteBurst}, Read: quota.Limit{Rate: t.Quota.ReadsPerSecond, Burst: t.Quota.ReadBurst},
		OwnSet: t.OwnSet, RestoreAll: t.RestoreAll}
	if err != nil {
		m.tenant.Offline = offline
	}
	return m, err
}

// A print tells whether files have changed.
type print [sha256.Size]byte

func printOf(paths ...string) print {
	h := sha256.New()
	for _, path := range paths {
		if path == "" {
			continue
		}
		b, err := os.ReadFile(path)
		fmt.Fprintf(h, "%d %v %s", len(b), err, b)
	}
	return print(h.Sum(nil))
}
