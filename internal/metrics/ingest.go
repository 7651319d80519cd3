package metrics

import "github.com/prometheus/client_golang/prometheus"

// Ingesting are the families of the ingest service: requests by strangers and
// senders, and what let them in.
type Ingesting struct {
	Requests       *Counters   // source, code
	RequestSeconds *Histograms // source
	InFlight       prometheus.Gauge
	Waiters        prometheus.Gauge
	Refusals       *Counters // source, reason
	RateLimited    *Counters // source; Unknown is the limit of all requests
	Published      *Counters // source, result: stored, duplicate, conflict, unavailable
	Parked         *Counters // source

	ReplayProtection *Gauges   // source; SetSources sets it
	KeyUses          *Counters // source, check, key
	KeyLastUsed      *Gauges   // source, check, key; seconds since 1970
	KeyExpiry        *Gauges   // source, check, key; SetSources sets it
	ExpiredKeyUses   *Counters // source, check, key
}

var (
	codes   = []string{"200", "202", "204", "400", "401", "403", "404", "405", "408", "409", "413", "415", "422", "429", "500", "503"}
	results = []string{"stored", "duplicate", "conflict", "unavailable"}
)

// ingesting makes the families without any source; SetSources has them.
func ingesting(f factory) Ingesting {
	source, keys := dimensions(nil)
	return Ingesting{
		Requests: f.counters("changerelay_ingest_requests_total",
			"HTTP requests answered; unknown until a sender is verified.", source, label("code")),
		RequestSeconds: f.histograms("changerelay_ingest_request_duration_seconds",
			"From the first byte of the head to the answer, the broker's acknowledgement included.", requestBuckets, source),
		InFlight: f.gauge("changerelay_ingest_requests_in_flight",
			"Requests being answered, those that wait for an outcome left out."),
		Waiters: f.gauge("changerelay_ingest_waiters",
			"Requests that wait for an outcome (?wait=)."),
		Refusals: f.counters("changerelay_ingest_refusals_total",
			"Requests answered 401, by the reason that the sender is not told; replays are among them.", source, label("reason")),
		RateLimited: f.counters("changerelay_ingest_rate_limited_total",
			"Requests answered 429; unknown is the limit of all.", source),
		Published: f.counters("changerelay_ingest_published_total",
			"Events given to the broker: stored, duplicate, conflict, unavailable.", source, label("result")),
		Parked: f.counters("changerelay_ingest_parked_total",
			"Bodies of verified senders that are no events, kept in DEAD.", source),
		ReplayProtection: f.gauges("changerelay_ingest_replay_protection",
			"1 if the source signs the time of its requests, else 0.", source),
		KeyUses: f.counters("changerelay_ingest_key_uses_total",
			"Requests let in by the key.", keys),
		KeyLastUsed: f.gauges("changerelay_ingest_key_last_used_timestamp_seconds",
			"When a request was last let in by the key; 0 is never since the start.", keys),
		KeyExpiry: f.gauges("changerelay_ingest_key_expiry_timestamp_seconds",
			"When the key stops being good; 0 is never.", keys),
		ExpiredKeyUses: f.counters("changerelay_ingest_expired_key_uses_total",
			"Requests that were refused only because the key that they were signed with is past its time.", keys),
	}
}
