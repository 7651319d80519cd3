package metrics

import (
	"slices"
	"strconv"

	"github.com/prometheus/client_golang/prometheus"
)

// Calling are the families of calls to Microsoft Graph and of tenants.
type Calling struct {
	GraphCalls     *Counters   // op: post, get, find; kind: ok or the kind of error
	GraphResponses *Counters   // op, code: of Response
	GraphSeconds   *Histograms // op, kind

	TokenRequests *Counters // result: ok, denied, throttled, unavailable
	TokenSeconds  prometheus.Histogram

	CredentialExpiry *Gauges // tenant; seconds since 1970
	CredentialUsable *Gauges // tenant; 1 until it is set otherwise

	QuotaCalls       *Counters // tenant, class: write, read
	QuotaRate        *Gauges   // tenant, class
	QuotaLimit       *Gauges   // tenant, class
	QuotaPausedUntil *Gauges   // tenant, class; seconds since 1970
	PausedSince      *Gauges   // tenant, reason: of PauseReasons; seconds since 1970
	DueDevices       *Gauges   // tenant, state: Runnable, Waiting
}

// States of due devices.
const (
	Runnable = "runnable"
	Waiting  = "waiting"
)

// PauseReasons are why a tenant is paused.
var PauseReasons = []string{"throttled", "denied", "unavailable"}

var (
	ops      = []string{"post", "get", "find"}
	kinds    = []string{"ok", "refused", "gone", "denied", "approval_required", "throttled", "unavailable", "in_doubt"}
	statuses = []string{"400", "401", "403", "404", "409", "410", "412", "423", "429", "500", "502", "503", "504"} // that mean something of their own
	answers  = append([]string{"none", "2xx", "3xx", "4xx", "5xx"}, statuses...)
	tokens   = []string{"ok", "denied", "throttled", "unavailable"}
	classes  = []string{"write", "read"}
)

// Response is the label code of an answer with that HTTP status; 0 is no answer.
func Response(status int) string {
	text := strconv.Itoa(status)
	switch {
	case status == 0:
		return "none"
	case slices.Contains(statuses, text):
		return text
	}
	return text[:1] + "xx"
}

// calling makes the families without any tenant; SetTenants has them.
func calling(f factory) Calling {
	op, kind, tenant, class := label("op", ops...), label("kind", kinds...), label("tenant"), label("class", classes...)
	return Calling{
		GraphCalls: f.counters("changerelay_graph_calls_total",
			"Requests to Graph: post, get, find; ok or the kind of error.", op, kind),
		GraphResponses: f.counters("changerelay_graph_responses_total",
			"Requests to Graph by HTTP status class or status; none if there was no answer. A status that means something of its own is counted by itself "+
				"(400, 401, 403, 404, 409, 410, 412, 423, 429, 500, 502, 503, 504), any other by its class (2xx to 5xx).", op, label("code", answers...)),
		GraphSeconds: f.histograms("changerelay_graph_request_duration_seconds",
			"Time of one request, getting a token included.", graphBuckets, op, kind),
		TokenRequests: f.counters("changerelay_token_requests_total",
			"Requests to the token endpoint: ok, denied, throttled, unavailable.", label("result", tokens...)),
		TokenSeconds: f.histogram("changerelay_token_request_duration_seconds",
			"Time of one request to the token endpoint.", tokenBuckets),
		CredentialExpiry: f.gauges("changerelay_credential_expiry_timestamp_seconds",
			"When the tenant's certificate ends; 0 where the credential has no end that can be read.", tenant),
		CredentialUsable: f.gauges("changerelay_credential_usable",
			"1 unless the tenant's credential could not be read, or Entra has denied it a token and given none since.", tenant),
		QuotaCalls: f.counters("changerelay_quota_calls_total",
			"Calls that the quota let go and that were made; class is write or read.", tenant, class),
		QuotaRate: f.gauges("changerelay_quota_rate",
			"Calls a second that the shared cell allows now, as far as this process has heard: one without calls hears nothing.", tenant, class),
		QuotaLimit: f.gauges("changerelay_quota_limit",
			"Calls a second that are configured.", tenant, class),
		QuotaPausedUntil: f.gauges("changerelay_quota_paused_until_timestamp_seconds",
			"Until when no call of the tenant goes out; 0, or a time that is over, if it is not paused.", tenant, class),
		PausedSince: f.gauges("changerelay_tenant_paused_since_timestamp_seconds",
			"Since when the tenant has been paused without a call of the same class that went well; throttled, denied, unavailable; "+
				"0 if it is not, or if nothing was tried for 2 minutes after a pause.", tenant, label("reason", PauseReasons...)),
		DueDevices: f.gauges("changerelay_due_devices",
			"Devices with a wake-up: runnable, or waiting: in hand, put back for a while, or of a paused tenant.", tenant, label("state", Runnable, Waiting)),
	}
}
