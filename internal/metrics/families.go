package metrics

// Closed sets of label values that belong to no configuration.
var (
	codes   = []string{"200", "202", "204", "400", "401", "403", "404", "405", "408", "409", "413", "415", "422", "429", "500", "503"}
	results = []string{"stored", "duplicate", "conflict", "unavailable"}
	stages  = []string{"ingest", "resolve", "fold", "reconcile"}
	ops     = []string{"post", "get", "find"}
	kinds   = []string{"ok", "refused", "gone", "denied", "approval_required", "throttled", "unavailable", "in_doubt"}
	reloads = []string{"ok", "failed"}
)

// ingest makes the families of sources without any source; SetSources has them.
func (m *Metrics) ingest(f factory, l Labels) {
	source, keys := dimensions(nil)
	m.Requests = f.counters("changerelay_ingest_requests_total",
		"HTTP requests answered, by configured source (unknown until a sender is verified) and status code.",
		source, label("code"))
	m.RequestSeconds = f.histograms("changerelay_ingest_request_duration_seconds",
		"Time from the first byte of a request's head to its answer, the broker's acknowledgement included, in seconds.",
		requestBuckets, source)
	m.Refusals = f.counters("changerelay_ingest_refusals_total",
		"Requests answered 401, by the reason that the sender is not told.",
		source, label("reason"))
	m.RateLimited = f.counters("changerelay_ingest_rate_limited_total",
		"Requests answered 429, by the source whose limit they met; unknown is the limit of all requests.", source)
	m.Published = f.counters("changerelay_ingest_published_total",
		"Events given to the broker, by what it said.",
		source, label("result"))
	m.Parked = f.counters("changerelay_ingest_parked_total",
		"Bodies of verified senders that are no events and were kept in DEAD.", source)
	m.KeyUses = f.counters("changerelay_ingest_key_uses_total",
		"Requests let in, by the key that each check of the source was passed with.", keys)
	m.KeyLastUsed = f.gauges("changerelay_ingest_key_last_used_timestamp_seconds",
		"Time when a request was last let in with the key, in seconds since 1970; 0 is never since the start.", keys)
	m.ReplayProtection = f.gauges("changerelay_ingest_replay_protection",
		"1 if the source signs the time of its requests, so that a captured one is soon too old; else 0.", source)
	m.Outcomes = f.counters("changerelay_outcomes_total",
		"Outcomes of events, by the stage that decided; the words are those of receipts and dead letters.",
		label("stage", stages...), label("outcome", l.Outcomes...))
}

// config makes the collectors of reloads. The configuration that the program
// started with is the first that succeeded.
func (m *Metrics) config(f factory) {
	m.ConfigReloads = f.counters("changerelay_config_reloads_total",
		"Reloads of the configuration, by result; after a failed one the old configuration stays in force.",
		label("result", reloads...))
	m.ConfigLastReload = f.gauge("changerelay_config_last_reload_successful",
		"1 if the newest configuration is in force, 0 if it is refused.")
	m.ConfigLastReload.Set(1)
	m.ConfigLastReloadTime = f.gauge("changerelay_config_last_reload_success_timestamp_seconds",
		"Time when the configuration in force was read, in seconds since 1970.")
	m.ConfigLastReloadTime.SetToCurrentTime()
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

func (m *Metrics) worker(f factory, l Labels) {
	m.FoldSeconds = f.histogram("changerelay_fold_duration_seconds",
		"Time to fold one device's group of events into its document and to store it, in seconds.", foldBuckets)
	m.FoldBatch = f.histogram("changerelay_fold_batch_events",
		"Events of one device that were folded into its document by one compare-and-swap.", batchBuckets)
	m.ReconcileSeconds = f.histogram("changerelay_reconcile_duration_seconds",
		"Time to handle one wake-up of a device, calls to Graph included, in seconds.", graphBuckets)
	m.WebhookToGraphSeconds = f.histogram("changerelay_webhook_to_graph_duration_seconds",
		"Time from the broker's acceptance of an event to the 2xx answer of Graph that carried it, in seconds.", endToEnd)
	m.Wakeups = f.counter("changerelay_wakeups_total",
		"Wake-ups of devices published: the device was due after a fold.")
	m.OpenAttempts = f.gauge("changerelay_open_attempts",
		"Calls to Graph that this process has announced in a ledger and not settled yet.")
	m.DueDevices = f.gauges("changerelay_due_devices",
		"Devices with a wake-up waiting, by tenant: the backlog.", label("tenant"))
}

func (m *Metrics) graph(f factory) {
	op, kind := label("op", ops...), label("kind", kinds...)
	m.GraphSeconds = f.histograms("changerelay_graph_request_duration_seconds",
		"Time of one request to Microsoft Graph, getting a token included, by kind of result, in seconds.",
		graphBuckets, op, kind)
	m.GraphCalls = f.counters("changerelay_graph_calls_total",
		"Requests to Microsoft Graph, by kind of result; getting a token is part of one.", op, kind)
}

func (m *Metrics) broker(f factory) {
	m.BrokerConnected = f.gauge("changerelay_broker_connected",
		"1 while this process has a connection to the broker, else 0.")
	m.BrokerReconnects = f.counter("changerelay_broker_reconnects_total",
		"Times that this process got its connection to the broker back.")
}
