package metrics

import "github.com/prometheus/client_golang/prometheus"

// Eventful are the families of what becomes of events, wherever that is decided.
type Eventful struct {
	Outcomes    *Counters // stage: ingest, resolve, fold, reconcile; outcome
	DeadLetters *Counters // reason
	Panics      prometheus.Counter
}

// Working are the families of the worker's stages.
type Working struct {
	FoldDelay             prometheus.Histogram
	FoldSeconds           prometheus.Histogram
	FoldBatch             prometheus.Histogram
	Wakeups               prometheus.Counter
	ReconcileSeconds      prometheus.Histogram
	WebhookToGraphSeconds *Histograms // graph: Well, Unwell
	OpenAttempts          prometheus.Gauge
}

// How Graph was while an event was on its way.
const (
	Well   = "well"
	Unwell = "unwell"
)

var stages = []string{"ingest", "resolve", "fold", "reconcile"}

func eventful(f factory, l Labels) Eventful {
	return Eventful{
		Outcomes: f.counters("changerelay_outcomes_total",
			"Outcomes of events, by the stage that decided: ingest, resolve, fold, reconcile; the words are those of protocol.md.",
			label("stage", stages...), label("outcome", l.Outcomes...)),
		DeadLetters: f.counters("changerelay_dead_letters_total",
			"Letters put into DEAD.", label("reason", l.Reasons...)),
		Panics: f.counter("changerelay_panics_total",
			"Handlers that panicked and were caught."),
	}
}

func working(f factory) Working {
	return Working{
		FoldDelay: f.histogram("changerelay_fold_delay_seconds",
			"From the broker's acceptance of an event, in CHANGES, to its fold.", delayBuckets),
		FoldSeconds: f.histogram("changerelay_fold_duration_seconds",
			"Time to fold one device's group of events and to store the document.", foldBuckets),
		FoldBatch: f.histogram("changerelay_fold_batch_events",
			"Events of one device folded by one compare-and-swap.", batchBuckets),
		Wakeups: f.counter("changerelay_wakeups_total",
			"Wake-ups of devices published: they were due after a fold."),
		ReconcileSeconds: f.histogram("changerelay_reconcile_duration_seconds",
			"Time to handle one wake-up, calls to Graph included.", graphBuckets),
		WebhookToGraphSeconds: f.histograms("changerelay_webhook_to_graph_duration_seconds",
			"From the broker's acceptance of an event to Graph's 2xx answer that carried it. graph is well, or unwell if this process "+
				"knows that the tenant was paused, throttled or in trouble at any time in between.", endToEnd, label("graph", Well, Unwell)),
		OpenAttempts: f.gauge("changerelay_open_attempts",
			"Calls to Graph that this process has announced in a ledger and not settled."),
	}
}
