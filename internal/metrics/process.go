package metrics

import (
	"runtime"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
)

// Processing are the families of the process and its configuration file.
type Processing struct {
	ConfigReloads        *Counters        // result: ok, failed
	ConfigLastReload     prometheus.Gauge // 1 or 0
	ConfigLastReloadTime prometheus.Gauge // seconds since 1970
	CertificateExpiry    *Gauges          // use: ingest, nats; seconds since 1970
}

var (
	reloads = []string{"ok", "failed"}
	uses    = []string{"ingest", "nats"}
)

// processing makes the families, and those that are the same in every Go service.
// The configuration that the program started with is the first that succeeded.
func processing(f factory, version string) Processing {
	f.reg.MustRegister(
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	info := f.gauges("changerelay_build_info", "Always 1; the labels say which build runs.",
		label("version", version), label("goversion", runtime.Version()))
	info.WithLabelValues(version, runtime.Version()).Set(1)
	p := Processing{
		ConfigReloads: f.counters("changerelay_config_reloads_total",
			"Reloads of the configuration: ok, failed.", label("result", reloads...)),
		ConfigLastReload: f.gauge("changerelay_config_last_reload_successful",
			"1 if the newest configuration is in force."),
		ConfigLastReloadTime: f.gauge("changerelay_config_last_reload_success_timestamp_seconds",
			"When the configuration in force was read."),
		CertificateExpiry: f.gauges("changerelay_tls_certificate_expiry_timestamp_seconds",
			"When a certificate that this process shows ends: ingest, nats (as its file is now, which the next connection shows); 0 if it shows none.", label("use", uses...)),
	}
	p.ConfigLastReload.Set(1)
	p.ConfigLastReloadTime.SetToCurrentTime()
	return p
}

// Reloaded counts a reload of the configuration; ok says that it is in force.
func (m *Metrics) Reloaded(ok bool) {
	if !ok {
		m.ConfigReloads.WithLabelValues("failed").Inc()
		m.ConfigLastReload.Set(0)
		return
	}
	m.ConfigReloads.WithLabelValues("ok").Inc()
	m.ConfigLastReload.Set(1)
	m.ConfigLastReloadTime.SetToCurrentTime()
}
