package metrics

// Closed sets of label values that belong to no configuration.
var (
	codes   = []string{"200", "202", "400", "401", "403", "404", "405", "408", "409", "413", "415", "422", "500", "503"}
	results = []string{"stored", "duplicate", "conflict", "unavailable"}
	stages  = []string{"ingest", "fold", "reconcile"}
	ops     = []string{"post", "get"}
	kinds   = []string{"ok", "refused", "gone", "denied", "approval_required", "throttled", "unavailable", "in_doubt"}
)

func (m *Metrics) ingest(f factory, l Labels) {
	source := label{"source", append([]string{Unknown}, l.Sources...)}
	m.Requests = f.counters("changerelay_ingest_requests_total",
		"HTTP requests answered, by configured source (unknown until a sender is verified) and status code.",
		source, label{"code", codes})
	m.RequestSeconds = f.histograms("changerelay_ingest_request_duration_seconds",
		"Time from the first byte of a request's head to its answer, the broker's acknowledgement included, in seconds.",
		requestBuckets, source)
	m.Refusals = f.counters("changerelay_ingest_refusals_total",
		"Requests answered 401, by the reason that the sender is not told.",
		source, label{"reason", l.Refusals})
	m.Published = f.counters("changerelay_ingest_published_total",
		"Events given to the broker, by what it said.",
		source, label{"result", results})
	m.Outcomes = f.counters("changerelay_outcomes_total",
		"Outcomes of events, by the stage that decided; the words are those of receipts and dead letters.",
		label{"stage", stages}, label{"outcome", l.Outcomes})
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
		"Devices with a wake-up waiting, by tenant: the backlog.", label{"tenant", l.Tenants})
}

func (m *Metrics) graph(f factory) {
	op, kind := label{"op", ops}, label{"kind", kinds}
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
