package verify

import (
	"maps"
	"slices"
)

// Preset returns the scheme of a well-known sender.
func Preset(name string) (Scheme, bool) {
	s, ok := presets[name]
	return s, ok
}

// Presets lists their names.
func Presets() []string { return slices.Sorted(maps.Keys(presets)) }

var presets = map[string]Scheme{
	"standard-webhooks":      StandardWebhooks(),
	"standard-webhooks-v1a":  standardWebhooksV1a(),
	"svix":                   svix(),
	"servicenow":             ServiceNow(),
	"servicenow-timestamped": serviceNowTimestamped(),
	"aws-eventbridge":        eventBridge(),

	// https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries
	"github": {Header: "X-Hub-Signature-256", Prefix: "sha256=", Algorithm: "sha256", Encoding: "hex", Signed: "{body}",
		IDHeader: "X-GitHub-Delivery"},

	// Cloud and Data Center 10. https://developer.atlassian.com/cloud/jira/platform/webhooks/
	"jira": {Header: "X-Hub-Signature", Prefix: "sha256=", Algorithm: "sha256", Encoding: "hex", Signed: "{body}",
		IDHeader: "X-Atlassian-Webhook-Identifier"},

	// https://developer.zendesk.com/documentation/webhooks/verifying/
	"zendesk": {Header: "X-Zendesk-Webhook-Signature", Algorithm: "sha256", Encoding: "base64", Signed: "{timestamp}{body}",
		IDHeader: "X-Zendesk-Webhook-Invocation-Id", TimestampHeader: "X-Zendesk-Webhook-Signature-Timestamp", TimestampFormat: "rfc3339"},

	// https://developer.pagerduty.com/docs/verifying-webhook-signatures
	"pagerduty": {Header: "X-PagerDuty-Signature", Prefix: "v1=", Delimiter: ",", Algorithm: "sha256", Encoding: "hex", Signed: "{body}"},

	// https://docs.slack.dev/authentication/verifying-requests-from-slack
	"slack": {Header: "X-Slack-Signature", Prefix: "v0=", Algorithm: "sha256", Encoding: "hex", Signed: "v0:{timestamp}:{body}",
		TimestampHeader: "X-Slack-Request-Timestamp"},

	// The secret is the whole text, whsec_ too. https://docs.stripe.com/webhooks
	"stripe": {Header: "Stripe-Signature", Prefix: "v1=", Delimiter: ",", Algorithm: "sha256", Encoding: "hex", Signed: "{timestamp}.{body}",
		TimestampPrefix: "t="},

	// Zammad has nothing better. https://docs.zammad.org/en/latest/api/webhook.html
	"zammad": {Header: "X-Hub-Signature", Prefix: "sha1=", Algorithm: "sha1", Encoding: "hex", Signed: "{body}",
		IDHeader: "X-Zammad-Delivery"},

	// Its default mode; the secret is the whole text, whsec_ too. Its other one
	// is standard-webhooks. https://hookdeck.com/docs/outpost/destinations/webhook
	"outpost": {Header: "X-Outpost-Signature", Prefix: "v0=", PrefixOnce: true, Delimiter: ",", Algorithm: "sha256", Encoding: "hex",
		Signed: "{body}", IDHeader: "X-Outpost-Event-Id"},
}

// StandardWebhooks is the symmetric scheme of www.standardwebhooks.com, v1.
func StandardWebhooks() Scheme {
	return Scheme{
		Header: "Webhook-Signature", Prefix: "v1,", Delimiter: " ",
		Algorithm: "sha256", Encoding: "base64", Signed: "{id}.{timestamp}.{body}",
		IDHeader: "Webhook-Id", TimestampHeader: "Webhook-Timestamp", TimestampFormat: "unix",
		Tolerance: DefaultTolerance, SecretForm: "whsec",
	}
}

// standardWebhooksV1a is the asymmetric one: the receiver can sign nothing.
func standardWebhooksV1a() Scheme {
	s := StandardWebhooks()
	s.Prefix, s.Algorithm, s.SecretForm = "v1a,", ed25519Name, "whpk"
	return s
}

// svix is Standard Webhooks under Svix' own names. Senders that Svix serves
// under their own name use those of the standard.
func svix() Scheme {
	s := StandardWebhooks()
	s.Header, s.IDHeader, s.TimestampHeader = "Svix-Signature", "Svix-Id", "Svix-Timestamp"
	return s
}

// ServiceNow is what a script gets from GlideCertificateEncryption.generateMac
// over the request's body. It signs no time: a captured request stays valid,
// and only the event's id keeps it from being applied twice.
func ServiceNow() Scheme {
	return Scheme{
		Header: "X-Hmac-Signature", Algorithm: "sha256", Encoding: "base64",
		Signed: "{body}", SecretForm: "text",
	}
}

// serviceNowTimestamped is what the script of docs/sources.md sends: Unix
// seconds, a dot and the body are signed, so that a captured request ages.
func serviceNowTimestamped() Scheme {
	s := ServiceNow()
	s.Header, s.TimestampHeader, s.Signed = "X-SN-Signature", "X-SN-Timestamp", "{timestamp}.{body}"
	return s
}

// eventBridge is for senders that sign as an Amazon EventBridge webhook event
// source was told to expect it. AWS fixes neither the header names nor the
// signed text: they are parameters of its WebhookHmacAuthConfiguration, and
// these are to be set there. For what is set otherwise, write a scheme.
func eventBridge() Scheme {
	s := StandardWebhooks()
	s.Header, s.IDHeader, s.TimestampHeader = "X-Webhook-Signature", "X-Webhook-Id", "X-Webhook-Timestamp"
	s.Prefix, s.SecretForm = "", "text"
	return s
}
