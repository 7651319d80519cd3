package boot

import (
	"strings"
	"testing"

	"changerelay/internal/ingest/source"
	"changerelay/internal/ingest/verify"
)

const tlsOn = "ingest: {tls: {cert_file: c, key_file: k, client_ca_file: ca}}\n"

// sourceMistakes go on where mistakes end. Lines after desk, snow and rules are
// 11, 11 and 10; those after mapped are 13.
var sourceMistakes = []struct{ name, text, want string }{
	{"yes for true", desk + "    gzip: yes\n", "11:5: sources.desk.gzip: want true or false"},
	{"text for a fraction", desk + "    rate: {per_second: '5'}\n", "11:12: sources.desk.rate.per_second: want a number"},
	{"infinity", desk + "    rate: {per_second: .inf}\n", "11:12: sources.desk.rate.per_second: want a number"},
	{"no rate", desk + "    rate: {per_second: 0, burst: 0}\n",
		"11:12: sources.desk.rate.per_second: want more than 0, requests\n11:27: sources.desk.rate.burst: want 1 to 2147483647"},
	{"time without a zone", strings.Replace(desk, "{env: DESK}", "{env: DESK, not_before: 2026-11-01T00:00:00}", 1),
		"10:27: sources.desk.secrets[0].not_before: want a time with its zone, such as 2026-12-01T00:00:00Z (RFC 3339)"},
	{"never good", strings.Replace(desk, "{env: DESK}", "{env: DESK, not_before: 2026-12-01T00:00:00Z, not_after: 2026-11-01T00:00:00Z}", 1),
		"10:61: sources.desk.secrets[0].not_after: is before not_before, so that the secret is never good"},
	{"key's name", strings.Replace(desk, "{env: DESK}", "{env: DESK, id: New Key}", 1),
		"10:27: sources.desk.secrets[0].id: want 1 to 128 of ASCII without spaces, quotes and backslashes"},
	{"key's name twice", strings.Replace(desk, "{env: DESK}", "{env: A, id: k}, {env: B, id: k}", 1),
		"10:41: sources.desk.secrets[1].id: another secret of this check has it"},
	{"range", desk + "    allow_from: [203.0.113.0/33]\n",
		"11:18: sources.desk.allow_from[0]: want an address range such as 203.0.113.0/24 or 2001:db8::/32, or an address"},
	{"range with more bits", desk + "    allow_from: [203.0.113.7/24]\n",
		"11:18: sources.desk.allow_from[0]: has bits set behind its length; want 203.0.113.0/24, or an address"},
	{"range within IPv6", desk + "    allow_from: ['::ffff:203.0.113.0/120']\n",
		"11:18: sources.desk.allow_from[0]: want an address range such as 203.0.113.0/24 or 2001:db8::/32, or an address"},
	{"no peer's rate", "ingest: {peer_rate: {per_second: -1}}\n", "1:22: ingest.peer_rate.per_second: want more than 0, requests"},
	{"everybody a proxy", "ingest: {proxies: [0.0.0.0/0]}\n", "1:20: ingest.proxies[0]: would believe everybody's X-Forwarded-For; list the proxies alone"},
	{"emptied list", desk + "    intents:\n", "11:5: sources.desk.intents: is empty; give it a value, or leave the key out"},
	{"empty list", desk + "    item_types: []\n", "11:5: sources.desk.item_types: want at least one entry; leave the key out for none"},
	{"emptied check", desk + "    header:\n      # name: X-Token\n", "11:5: sources.desk.header: is empty; give it a value, or leave the key out"},
	{"emptied TLS", "ingest:\n  tls:\n", "2:3: ingest.tls: is empty; give it a value, or leave the key out"},
	{"half a TLS", "ingest: {tls: {cert_file: c}}\n", "1:10: ingest.tls: want cert_file and key_file; without tls it is plain HTTP, for a proxy that ends TLS"},
	{"intent", desk + "    intents: [delete]\n", "11:15: sources.desk.intents[0]: want one of remove, restore, restore_all"},
	{"item type", desk + "    item_types: [aplication]\n",
		`11:18: sources.desk.item_types[0]: want one of application, deviceConfiguration, deviceManagementConfigurationPolicy, mobileAppConfiguration; did you mean "application"?`},
	{"large body", desk + "    max_body: 10485761\n", "11:5: sources.desk.max_body: want 1 to 10485760"},
	{"reserved name", strings.Replace(desk, "  desk:", "  unknown:", 1),
		"7:3: sources.unknown: want another name: in metrics it stands for senders that are not known"},

	{"kind that signs nothing", rules + "    secrets: [{env: DESK}]\n",
		"10:5: sources.desk.secrets: kind freshservice signs nothing: put them under header, basic or bearer, or say under signature how its sender signs"},
	{"no check", rules, "7:3: sources.desk.secrets: is missing; a source without a secret or another check would be open to everybody"},
	{"signature without secrets", rules + "    signature: {preset: github}\n", "7:3: sources.desk.secrets: is missing; signature is verified with them"},
	{"header without secrets", rules + "    header: {name: X-Token}\n",
		"10:5: sources.desk.header.secrets: there is none, and nothing is accepted unverified"},
	{"preset", desk + "    signature: {preset: githup}\n",
		"11:17: sources.desk.signature.preset: want one of " + strings.Join(verify.Presets(), ", ") + `; did you mean "github"?`},
	{"parameter over a preset", desk + "    signature: {tolerance: 1h, preset: zendesk}\n", "11:17: sources.desk.signature.tolerance: 1h0m0s is not within 30s to 15m0s"},
	{"header's name", rules + "    header: {name: X Token, secrets: [{env: A}]}\n", `10:14: sources.desk.header.name: "X Token" is not a header's name`},
	{"basic's user", rules + "    basic: {user: 'a:b', secrets: [{env: A}]}\n",
		"10:13: sources.desk.basic.user: want a name without a colon and control characters (RFC 7617)"},
	{"two places of a header's secret", rules + "    header: {name: X-T, secrets: [{env: A, file: b}]}\n", "10:35: sources.desk.header.secrets[0]: want file or env, not both"},
	{"no topics", rules + "    sns: {secrets: [{file: c}]}\n",
		"10:5: sources.desk.sns.topics: there is none, and every AWS account can sign messages of its own"},
	{"certificate without a CA", rules + "    certificate: {subjects: [CN=snow]}\n",
		"10:5: sources.desk.certificate: needs ingest.tls.client_ca_file: nothing else says whose certificates are good"},
	{"certificate of anybody", tlsOn + rules + "    certificate: {}\n",
		"11:5: sources.desk.certificate.subjects: there is none, nor any dns_names; and not every client is let in"},
	{"HTTP key", rules + "    http_signature: {keys: [{env: A, algorithm: rsa}]}\n",
		"10:29: sources.desk.http_signature.keys[0].id: is missing; want the keyid that the sender gives\n" +
			"10:38: sources.desk.http_signature.keys[0].algorithm: want one of " + strings.Join(httpAlgorithms, ", ")},
	{"bearer", rules + "    bearer: {issuer: i, audiences: [a], jwks_url: 'http://i/keys'}\n",
		"10:5: sources.desk.bearer.clients: want one or more, none of them empty or twice: else any application of the tenant could send\n" +
			"10:41: sources.desk.bearer.jwks_url: want an https address without a user's name, such as https://login.microsoftonline.com/<tenant>/discovery/v2.0/keys"},
	{"bearer without keys", rules + "    bearer: {issuer: i, audiences: [a], clients: [c]}\n",
		"10:5: sources.desk.bearer: want jwks_url or jwks_file, one of them: the issuer's keys"},
	{"handshake", desk + "    handshake: {kind: grid}\n", "11:17: sources.desk.handshake.kind: want one of cloudevents, eventgrid, graph, slack"},
	{"handshake with anybody", desk + "    handshake: {kind: eventgrid}\n", "11:5: sources.desk.handshake.allow: is missing; list the subscriptions that may ask"},
	{"handshake with somebody", desk + "    handshake: {kind: slack, allow: [a]}\n",
		"11:30: sources.desk.handshake.allow: is for the handshakes cloudevents and eventgrid only"},

	{"path", snow + "    fields: {device: 'a[0'}\n", "11:14: sources.desk.fields.device: the path \"a[0\" has a [ without its ]"},
	{"map of a kind", snow + "    map: {when: 'true'}\n", "11:5: sources.desk.map: is for kind mapped only; give paths under fields"},
	{"meaning of a map", strings.Replace(mapped, "device:", "devise:", 1),
		`12:43: sources.desk.map.devise: unknown key, did you mean "device"? (allowed here: approval, ` + strings.Join(source.MapMeanings, ", ") + ")"},
	{"expression", strings.Replace(mapped, "'true'", "record.", 1),
		"12:11: sources.desk.map.when: "},
}

func TestSourceMistakes(t *testing.T) {
	for _, m := range sourceMistakes {
		t.Run(m.name, func(t *testing.T) {
			want := "relay.yaml:" + strings.ReplaceAll(m.want, "\n", "\nrelay.yaml:")
			_, err := Parse("relay.yaml", []byte(m.text))
			if err == nil {
				t.Fatal("no error")
			}
			got := err.Error()
			if strings.HasSuffix(want, ": ") { // the rest is the expressions' library's
				got = got[:min(len(got), len(want))]
			}
			if got != want {
				t.Errorf("error:\n%s\nwant:\n%s", err, want)
			}
		})
	}
}

// goodSources are sources that every check and every kind of value is in.
var goodSources = map[string]string{
	"desk": desk, "snow": snow, "mapped": mapped,
	"scope": desk + "    intents: [remove]\n    item_types: [application]\n    allow_from: [203.0.113.0/24, 2001:db8::1]\n" +
		"    rate: {per_second: 0.5, burst: 1}\n    max_body: 1\n    gzip: true\n",
	"rotation": strings.Replace(desk, "{env: DESK}",
		`{file: a, id: "2026-11", not_before: 2026-11-01T00:00:00Z}, {env: B, not_after: "2026-12-01T00:00:00.5+01:00"}`, 1),
	"preset":      strings.Replace(snow, "    secrets", "    signature: {preset: zendesk, tolerance: 2m, prefix: ''}\n    secrets", 1),
	"header":      rules + "    header: {name: Authorization, prefix: 'Bearer ', secrets: [{env: A}]}\n",
	"basic":       rules + "    basic: {user: relay, secrets: [{env: A}]}\n",
	"bearer":      rules + "    bearer: {issuer: i, audiences: [a], clients: [c], roles: [r], tenant: t, algorithms: [RS256, ES256], jwks_url: 'https://i/k', leeway: 1m}\n",
	"bearer file": rules + "    bearer: {issuer: i, audiences: [a], clients: [c], jwks_file: k.json}\n",
	"rfc 9421": rules + "    http_signature: {keys: [{id: k, algorithm: ed25519, file: k.pem, not_after: 2026-12-01T00:00:00Z}], " +
		"components: ['@method', content-digest], tag: t, tolerance: 5m}\n",
	"certificate":  tlsOn + rules + "    certificate: {subjects: [CN=snow], dns_names: [snow.example]}\n",
	"sns":          rules + "    sns: {topics: ['arn:aws:sns:us-east-1:123456789012:changes'], secrets: [{file: c.pem}]}\n",
	"client state": strings.Replace(rules, "freshservice", "mapped", 1) + "    client_state: {secrets: [{env: A}]}\n    fields: {ticket: t, device: d, items: i, approval: a}\n    approved: [\"yes\", Genehmigt]\n",
	"all must fit": desk + "    header: {name: X-T, secrets: [{env: A}]}\n    basic: {user: u, secrets: [{env: B}]}\n",
	"handshakes":   desk + "    handshake: {kind: cloudevents, allow: [eventgrid.azure.net]}\n",
	"ingest": "ingest:\n  listen: ':8443'\n  base_url: https://relay.example\n  tls: {cert_file: c, key_file: k}\n  proxies: [10.0.0.0/8]\n" +
		"  rate: {per_second: 5, burst: 9}\n  peer_rate: {per_second: 0.5, burst: 1}\n",
}

func TestGoodSources(t *testing.T) {
	for name, text := range goodSources {
		if _, err := Parse("relay.yaml", []byte(text)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A parameter replaces the preset's, an empty one too.
func TestParametersOverAPreset(t *testing.T) {
	c, err := Parse("relay.yaml", []byte(desk+"    signature: {prefix: '', preset: github}\n"))
	if err != nil {
		t.Fatal(err)
	}
	want, _ := verify.Preset("github")
	want.Prefix = ""
	if got := c.Sources["desk"].Scheme(); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}

// The usual scheme of a kind is not there when its secrets are another check's.
func TestUsualScheme(t *testing.T) {
	for text, want := range map[string]string{
		desk: "Webhook-Signature",
		snow: "X-Hmac-Signature",
		strings.Replace(snow, "secrets: [{env: DESK}]", "basic: {user: u, secrets: [{env: A}]}", 1): "",
	} {
		c, err := Parse("relay.yaml", []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		if got := c.Sources["desk"].Scheme().Header; !strings.EqualFold(got, want) {
			t.Errorf("%s\nsigned in %q, want %q", text, got, want)
		}
	}
}
