package tenants

import (
	"log/slog"

	"changerelay/cmd/internal/boot"
	"changerelay/internal/quota"
	"changerelay/internal/tracing"
	"changerelay/internal/worker"
	"changerelay/internal/working"
)

// A service is the worker of a process, and what it was made of.
type service struct {
	*working.Service
	made map[string]made // only Reload writes it, and there is one at a time
}

// made is a tenant and the configuration that it was made of.
type made struct {
	config boot.Tenant
	tenant worker.Tenant
}

// NewService makes the worker of a configuration. It is a boot.NewService.
func NewService(c *boot.Config, log *slog.Logger, t *tracing.Tracer) (boot.Service, error) {
	w := &service{Service: working.New(working.Parts{
		Broker:         c.Streams(log),
		Timing:         c.Worker.Timing.Protocol(),
		MaxAge:         c.Worker.Timing.MaxAge,
		FoldSlots:      c.Worker.FoldSlots,
		ReconcileSlots: c.Worker.ReconcileSlots,
		Pace:           c.Worker.Pace,
		Log:            log,
		Tracer:         t,
	})}
	if err := w.Reload(c); err != nil {
		return nil, err
	}
	return w, nil
}

// Reload puts the configuration's tenants in force, all or none. One that is as it
// was keeps its client, and with it token and connections.
func (w *service) Reload(c *boot.Config) error {
	next, tenants := map[string]made{}, map[string]worker.Tenant{}
	for name, t := range c.Tenants {
		m, ok := w.made[name]
		if !ok || !m.config.Alike(t) {
			g, err := Graph(c, name)
			if err != nil {
				return err
			}
			m = made{t, worker.Tenant{Graph: g, TenantID: t.TenantID, ClientID: t.Application(),
				Write: quota.Limit{Rate: t.Quota.WritesPerSecond, Burst: t.Quota.WriteBurst}, Read: quota.Limit{Rate: t.Quota.ReadsPerSecond, Burst: t.Quota.ReadBurst},
				OwnSet: t.OwnSet, RestoreAll: t.RestoreAll}}
		}
		next[name], tenants[name] = m, m.tenant
	}
	w.made = next
	w.SetTenants(tenants)
	return nil
}
