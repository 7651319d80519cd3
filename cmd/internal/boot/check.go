package boot

import (
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
)

// The words that may stand where the file asks for one of a few. Other words of
// sources are asked of the packages that act on them; a test holds these and
// those together.
var (
	logFormats = []string{"json", "text"}
	logLevels  = []string{"debug", "info", "warn", "error"}
	clouds     = []string{"global", "usgov", "dod", "china", "custom"}
	intents    = []string{"remove", "restore", "restore_all"}
	itemTypes  = []string{"application", "deviceConfiguration", "deviceManagementConfigurationPolicy", "mobileAppConfiguration"}
	handshakes = []string{"cloudevents", "eventgrid", "graph", "slack"}

	httpAlgorithms = []string{"hmac-sha256", "ed25519", "ecdsa-p256-sha256", "ecdsa-p384-sha384", "rsa-pss-sha512", "rsa-v1_5-sha256"}
)

// Written so that JavaScript, which editors use, reads them as Go does.
var (
	namePattern   = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,62}$`)
	guidPattern   = regexp.MustCompile(`^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$`)
	domainPattern = regexp.MustCompile(`^([A-Za-z0-9-]{1,63}\.)+[A-Za-z]{2,63}$`)
	envPattern    = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
	keyIDPattern  = regexp.MustCompile(`^[!#-\[\]-~]{1,128}$`)
)

// checkConfig finds what decoding cannot: values that fit their type and still
// make no sense, and names that nothing else in the file has.
func (d *decoder) checkConfig(c *Config) {
	d.checkNATS(&c.NATS, c.Worker.Timing)
	d.checkIngest(c.Ingest)
	d.listen("admin.listen", c.Admin.Listen)
	if c.Ingest.Listen == c.Admin.Listen && !strings.HasSuffix(c.Admin.Listen, ":0") { // 0 is any free port, another each time
		d.bad("admin.listen", "want another address than ingest.listen")
	}
	d.oneOf("log.format", c.Log.Format, logFormats)
	d.oneOf("log.level", c.Log.Level, logLevels)
	d.checkTracing(c.Tracing)
	d.checkWorker(c.Worker)
	for _, name := range slices.Sorted(maps.Keys(c.Tenants)) {
		t := c.Tenants[name]
		d.checkTenant(name, &t)
		c.Tenants[name] = t
	}
	d.checkQuotas(c.Tenants)
	for _, name := range slices.Sorted(maps.Keys(c.Sources)) {
		d.checkSource(name, c.Sources[name], c)
	}
}

func (d *decoder) checkNATS(n *NATS, t Timing) {
	for server := range strings.SplitSeq(n.URL, ",") {
		d.brokerURL(server)
	}
	if n.Replicas != 1 && n.Replicas != 3 && n.Replicas != 5 {
		d.bad("nats.replicas", "want 1, 3 or 5")
	}
	if n.Retention < time.Hour || n.Retention <= t.MaxAge {
		d.bad("nats.retention", "want at least 1h, and more than worker.timing.max_age")
	}
	if !n.Token.IsZero() && n.CredentialsFile != "" {
		d.bad("nats.token", "want token or credentials_file, not both")
	}
	d.secret("nats.token", n.Token)
	if (n.CertFile == "") != (n.KeyFile == "") {
		d.bad("nats.cert_file", "want cert_file and key_file together")
	}
}

// brokerURL does not repeat the URL in errors: it may hold a password.
func (d *decoder) brokerURL(server string) {
	u, err := url.Parse(strings.TrimSpace(server))
	switch {
	case err != nil || u.Host == "" || !slices.Contains([]string{"nats", "tls", "ws", "wss"}, u.Scheme):
		d.bad("nats.url", "want nats://host:port or tls://host:port, or several with commas")
	case u.User != nil:
		d.bad("nats.url", "credentials do not belong here; use token, credentials_file or cert_file")
	}
}

func (d *decoder) checkWorker(w Worker) {
	d.within("worker.fold_slots", w.FoldSlots, 1, 256)
	d.within("worker.reconcile_slots", w.ReconcileSlots, 1, 4096)
	if w.Pace <= 0 || w.Pace > time.Minute {
		d.bad("worker.pace", "want more than 0s and at most 1m")
	}
	t := w.Timing
	for key, value := range map[string]time.Duration{
		"fresh": t.Fresh, "lag": t.Lag, "settle": t.Settle, "hold": t.Hold, "skew": t.Skew, "budget": t.Budget, "max_age": t.MaxAge,
	} {
		if value <= 0 {
			d.bad("worker.timing."+key, "want more than 0s")
		}
	}
	if t.Settle < t.Lag {
		d.bad("worker.timing.settle", "want at least worker.timing.lag: it is the longer of the two waits")
	}
	if t.Hold <= t.Settle {
		d.bad("worker.timing.hold", "want more than worker.timing.settle")
	}
	if t.MaxAge <= t.Settle+t.Budget {
		d.bad("worker.timing.max_age", "want more than settle and budget together, or an event expires before it is retried once")
	}
}
