package boot

import (
	"strings"
	"testing"

	"changerelay/internal/ingest/source"
)

const tenant = `tenants:
  acme:
    tenant_id: 1a111111-2222-3333-4444-555555555555
    client_id: 2b222222-2222-3333-4444-555555555555
    client_secret: {file: acme}
`

const desk = tenant + `sources:
  desk:
    kind: cloudevents
    tenants: [acme]
    secrets: [{env: DESK}]
`

// snow is the same of another kind, and mapped of no kind; rules sign nothing.
var (
	snow   = strings.Replace(desk, "cloudevents", "servicenow", 1)
	rules  = strings.NewReplacer("cloudevents", "freshservice", "    secrets: [{env: DESK}]\n", "").Replace(desk)
	mapped = strings.Replace(desk, "cloudevents", "mapped", 1) + "    signature: {preset: github}\n    map: {when: 'true', ticket: record.t, device: record.d, items: record.i}\n"
)

// mistakes are whole files and the whole error that each one gets.
var mistakes = []struct{ name, text, want string }{
	{"unknown key", "nats:\n  urll: x\n",
		`2:3: nats.urll: unknown key, did you mean "url"? (allowed here: url, replicas, retention, credentials_file, token, ca_file, cert_file, key_file)`},
	{"unknown section", "logging: {}\n",
		"1:1: logging: unknown key (allowed here: nats, ingest, admin, log, tracing, worker, tenants, sources)"},
	{"camel case", "worker:\n  foldSlots: 3\n",
		`2:3: worker.foldSlots: unknown key, did you mean "fold_slots"? (allowed here: fold_slots, reconcile_slots, pace, timing)`},
	{"unknown key in an entry", strings.Replace(tenant, "client_id", "clientid", 1),
		`4:5: tenants.acme.clientid: unknown key, did you mean "client_id"? (allowed here: tenant_id, client_id, client_secret, certificate, federated_token, managed_identity, cae, cloud, graph_url, authority_url, ca_file, quota, own_set, restore_all)`},
	{"quota", strings.Replace(tenant, "client_secret:", "quota: {writes_per_second: 0, read_burst: 0}\n    client_secret:", 1),
		"5:13: tenants.acme.quota.writes_per_second: want 0.01 to 1000; Graph allows an application 10 writes and 100 requests a second in a tenant\n5:35: tenants.acme.quota.read_burst: want 1 to 1000"},
	{"unknown key in a list", desk + "    fields: {}\n  b:\n    secrets:\n      - fil: x\n",
		`14:9: sources.b.secrets[0].fil: unknown key, did you mean "file"? (allowed here: id, file, env, not_before, not_after)`},
	{"repeated key", "nats:\n  replicas: 3\n  replicas: 1\n", `3:3: mapping key "replicas" already defined at [2:3]`},
	{"repeated tenant", tenant + "  acme: {}\n", `6:3: mapping key "acme" already defined at [2:3]`},
	{"no YAML", "nats: [\n", "1:7: sequence end token ']' not found"},
	{"two documents", "nats: {}\n---\nlog: {}\n", "2:1: a second document begins here; the configuration is one document"},
	{"list for the file", "- a\n", "1:1: want a mapping of nats, ingest, admin, log, tracing, worker, tenants, sources"},
	{"text for a section", "nats: nats://127.0.0.1\n",
		"1:1: nats: want a mapping of url, replicas, retention, credentials_file, token, ca_file, cert_file, key_file"},
	{"anchor", "nats: &a {}\n", "1:1: nats: anchors, aliases and tags are not supported; write the value out"},
	{"alias", "nats: {url: &a nats://h}\nadmin: {listen: *a}\n",
		"1:8: nats.url: anchors, aliases and tags are not supported; write the value out\n" +
			"2:9: admin.listen: anchors, aliases and tags are not supported; write the value out"},
	{"number for text", "log:\n  level: 5\n", "2:3: log.level: want text; put the value in quotes"},
	{"nothing for text", "log:\n  level:\n", "2:3: log.level: want text; put the value in quotes"},
	{"text for a number", "nats:\n  replicas: three\n", "2:3: nats.replicas: want a whole number"},
	{"quoted number", "nats:\n  replicas: \"3\"\n", "2:3: nats.replicas: want a whole number"},
	{"fraction", "nats:\n  replicas: 3.0\n", "2:3: nats.replicas: want a whole number"},
	{"bare duration", "nats:\n  retention: 720\n", "2:3: nats.retention: want a duration such as 30s, 5m or 720h"},
	{"days", "nats:\n  retention: 30d\n", "2:3: nats.retention: want a duration such as 30s, 5m or 720h"},
	{"text for a list", strings.Replace(desk, "[acme]", "acme", 1),
		"9:5: sources.desk.tenants: want a list: lines that begin with a dash, or [a, b]"},
	{"pasted secret", strings.Replace(tenant, "{file: acme}", "hunter2", 1),
		"5:5: tenants.acme.client_secret: want a mapping of file, env"},
	{"pasted secret in env", strings.Replace(tenant, "{file: acme}", "{env: hunter2~x}", 1),
		"5:21: tenants.acme.client_secret.env: want the name of an environment variable, not its value"},
	{"several at once", "log:\n  level: loud\nnats:\n  replicas: 2\n",
		"2:3: log.level: want one of debug, info, warn, error\n4:3: nats.replicas: want 1, 3 or 5"},
	{"broker's URL", "nats: {url: http://h}\n", "1:8: nats.url: want nats://host:port or tls://host:port, or several with commas"},
	{"broker's second URL", "nats: {url: 'nats://h,'}\n", "1:8: nats.url: want nats://host:port or tls://host:port, or several with commas"},
	{"password in the URL", "nats: {url: nats://u:hunter2@h}\n",
		"1:8: nats.url: credentials do not belong here; use token, credentials_file or cert_file"},
	{"two credentials", "nats:\n  credentials_file: a\n  token: {env: T}\n", "3:3: nats.token: want token or credentials_file, not both"},
	{"certificate without key", "nats:\n  cert_file: a\n", "2:3: nats.cert_file: want cert_file and key_file together"},
	{"short retention", "nats: {retention: 4h}\n", "1:8: nats.retention: want at least 1h, and more than worker.timing.max_age"},
	{"listen", "ingest: {listen: localhost}\n", "1:10: ingest.listen: want host:port or :port"},
	{"base URL", "ingest: {base_url: 'https://h/'}\n", "1:10: ingest.base_url: want an https:// or http:// URL without a slash at its end"},
	{"same listen", "admin: {listen: ':8080'}\n", "1:9: admin.listen: want another address than ingest.listen"},
	{"tracing", "tracing: {endpoint: 'http://key@h:4318', sample: 1.5, headers: {X-Key: {env: K}, host: {env: K}, b: {}}}\n",
		"1:11: tracing.endpoint: want the http:// or https:// URL of a collector; a key belongs in tracing.headers\n1:42: tracing.sample: want 0 to 1\n" +
			"1:65: tracing.headers.X-Key: want a name of a-z, 0-9 and -, at most 63 characters, not beginning with -\n" +
			"1:82: tracing.headers.host: is not for the file to say\n1:98: tracing.headers.b: is missing; give file or env"},
	{"tracing by gRPC", "tracing: {endpoint: 'collector:4317'}\n", "1:11: tracing.endpoint: want the http:// or https:// URL of a collector; a key belongs in tracing.headers"},
	{"near word", "log: {format: jsn}\n", `1:7: log.format: want one of json, text; did you mean "json"?`},
	{"slots", "worker: {fold_slots: 0}\n", "1:10: worker.fold_slots: want 1 to 256"},
	{"no time", "worker: {timing: {skew: 0s}}\n", "1:19: worker.timing.skew: want more than 0s"},
	{"settle", "worker: {timing: {settle: 20s}}\n", "1:19: worker.timing.settle: want at least worker.timing.lag: it is the longer of the two waits"},
	{"hold", "worker: {timing: {hold: 5m}}\n", "1:19: worker.timing.hold: want more than worker.timing.settle"},
	{"age", "worker: {timing: {max_age: 5m}}\n",
		"1:19: worker.timing.max_age: want more than settle and budget together, or an event expires before it is retried once"},
	{"tenant's name", strings.Replace(tenant, "acme:", "Acme.Corp:", 1),
		"2:3: tenants.Acme.Corp: want a name of a-z, 0-9 and -, at most 63 characters, not beginning with -"},
	{"tenant without anything", "tenants:\n  acme:\n",
		"2:3: tenants.acme.tenant_id: want the Entra tenant's GUID, or one of its domains\n" +
			"2:3: tenants.acme.client_id: want the GUID of the app registration\n" +
			"2:3: tenants.acme: want exactly one of client_secret, certificate, federated_token and managed_identity"},
	{"no credential", strings.Replace(tenant, "    client_secret: {file: acme}\n", "", 1),
		"2:3: tenants.acme: want exactly one of client_secret, certificate, federated_token and managed_identity"},
	{"two credentials of a tenant", tenant + "    certificate: {file: a.p12, password: {env: P}}\n",
		"2:3: tenants.acme: want exactly one of client_secret, certificate, federated_token and managed_identity"},
	{"certificate without a file", strings.Replace(tenant, "client_secret: {file: acme}", "certificate: {password: {env: P}}", 1),
		"5:5: tenants.acme.certificate.file: is missing; give the file with the certificate and its key"},
	{"pasted password", strings.Replace(tenant, "client_secret: {file: acme}", "certificate: {file: a.p12, password: hunter2}", 1),
		"5:32: tenants.acme.certificate.password: want a mapping of file, env"},
	{"federated token of nothing", strings.Replace(tenant, "client_secret: {file: acme}", "federated_token:", 1),
		"5:5: tenants.acme.federated_token: is empty; give it a value, or leave the key out"},
	{"identity of an app", strings.Replace(tenant, "client_secret: {file: acme}", "managed_identity: {}", 1),
		"4:5: tenants.acme.client_id: is of an app registration; that of a user-assigned identity is managed_identity.client_id"},
	{"identity's id", "tenants:\n  acme: {tenant_id: a.example, cae: true, managed_identity: {client_id: me}}\n",
		"2:32: tenants.acme.cae: is not for managed identities: Entra does not evaluate them continuously\n" +
			"2:62: tenants.acme.managed_identity.client_id: want the identity's client id, a GUID; leave it out for the system-assigned identity"},
	{"both places", strings.Replace(tenant, "file: acme", "file: a, env: B", 1),
		"5:5: tenants.acme.client_secret: want file or env, not both"},
	{"cloud", tenant + "    cloud: us-gov\n",
		`6:5: tenants.acme.cloud: want one of global, usgov, dod, china, custom; did you mean "usgov"?`},
	{"URL of another cloud", tenant + "    graph_url: https://g\n",
		"6:5: tenants.acme.graph_url: is for cloud: custom only; the other clouds have their own"},
	{"custom cloud", tenant + "    cloud: custom\n    graph_url: http://g\n",
		"2:3: tenants.acme.authority_url: want an https:// URL without a slash at its end; cloud: custom needs it\n" +
			"7:5: tenants.acme.graph_url: want an https:// URL without a slash at its end; cloud: custom needs it"},
	{"unknown tenant", strings.Replace(desk, "[acme]", "[acme, acne]", 1),
		"9:21: sources.desk.tenants[1]: there is no tenants.acne in this file"},
	{"tenant twice", strings.Replace(desk, "[acme]", "[acme, acme]", 1), "9:21: sources.desk.tenants[1]: is listed twice"},
	{"open source", strings.Replace(desk, "[{env: DESK}]", "[]", 1),
		"10:5: sources.desk.secrets: want at least one entry; leave the key out for none"},
	{"source without anything", "sources: {desk: {}}\n",
		"1:11: sources.desk.kind: want one of " + strings.Join(source.Kinds(), ", ") + "\n" +
			"1:11: sources.desk.tenants: is missing; list the tenants that this source may change\n" +
			"1:11: sources.desk.secrets: is missing; a source without a secret or another check would be open to everybody"},
	{"columns of CloudEvents", desk + "    fields: {device: u_device}\n",
		"11:5: sources.desk.fields: a CloudEvent has its own fields and is an approval; for other events there is kind mapped"},
	{"unknown meaning", snow + "    fields: {devise: u_device}\n",
		`11:14: sources.desk.fields.devise: unknown key, did you mean "device"? (allowed here: ticket, id, version, time, approval, device, items, item_type, intent, tenant)`},
	{"servicenow for all", strings.NewReplacer("cloudevents", "servicenow", "[acme]", "['*']").Replace(desk),
		"9:5: sources.desk.tenants: want exactly one, or fields.tenant: the records do not name any"},
}

func TestMistakes(t *testing.T) {
	for _, m := range mistakes {
		t.Run(m.name, func(t *testing.T) {
			want := "relay.yaml:" + strings.ReplaceAll(m.want, "\n", "\nrelay.yaml:")
			c, err := Parse("relay.yaml", []byte(m.text))
			if err == nil {
				t.Fatalf("no error, but %+v", c)
			}
			if got := err.Error(); got != want {
				t.Errorf("error:\n%s\nwant:\n%s", got, want)
			}
			if strings.Contains(err.Error(), "hunter2") {
				t.Error("the error shows a secret")
			}
		})
	}
}

// The verifier has the words; the places are this package's.
func TestSignatureMistakes(t *testing.T) {
	for _, c := range []struct{ signature, at string }{
		{"{header: X-S, encoding: hex, signed: '{id}'}", "11:45: sources.desk.signature.signed: "},
		{"{header: X S, encoding: hex, signed: '{body}'}", "11:17: sources.desk.signature.header: "},
		{"{encoding: hex, signed: '{body}'}", "11:5: sources.desk.signature.header: "},
		{"{header: X-S, encoding: hexx, signed: '{body}'}", "11:30: sources.desk.signature.encoding: "},
		{"{header: X-S, encoding: hex, signed: '{body}', tolerance: 1h}", "11:63: sources.desk.signature.tolerance: "},
		{"{header: X-S, encoding: hex, signed: '{body}'}", ""},
	} {
		_, err := Parse("relay.yaml", []byte(desk+"    signature: "+c.signature+"\n"))
		switch {
		case c.at == "" && err != nil:
			t.Errorf("%s: %v", c.signature, err)
		case c.at != "" && (err == nil || !strings.HasPrefix(err.Error(), "relay.yaml:"+c.at) || strings.Contains(err.Error(), "\n")):
			t.Errorf("%s: %v\nwant one mistake at %s", c.signature, err, c.at)
		}
	}
}

func TestSourceForEveryTenant(t *testing.T) {
	if _, err := Parse("relay.yaml", []byte(strings.Replace(desk, "[acme]", "['*']", 1))); err != nil {
		t.Error(err)
	}
}

// Two listeners may each ask for any free port.
func TestAnyPortTwice(t *testing.T) {
	if _, err := Parse("relay.yaml", []byte("ingest: {listen: 'localhost:0'}\nadmin: {listen: 'localhost:0'}\n")); err != nil {
		t.Error(err)
	}
}

// The tenant and the source that the mistakes are made in are good.
func TestMistakesAreTheOnlyOnes(t *testing.T) {
	if _, err := Parse("relay.yaml", []byte(desk)); err != nil {
		t.Error(err)
	}
}
