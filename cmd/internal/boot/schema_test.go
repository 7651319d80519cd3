package boot

import (
	"bytes"
	"flag"
	"os"
	"testing"

	"changerelay/internal/ingest"
	"changerelay/internal/ingest/source"
	"changerelay/internal/ingest/verify"
)

var update = flag.Bool("update", false, "write schema.json")

// Patterns of scalars, as JavaScript reads them too.
const (
	durationPattern = `^\+?(([0-9]+(\.[0-9]*)?|\.[0-9]+)(ns|us|µs|ms|s|m|h))+$`
	timePattern     = `^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2})$`
	rangePattern    = `^[0-9A-Fa-f:.]+(/[0-9]{1,3})?$`
	hostPattern     = `^.*:[0-9]{1,5}$`
	urlPattern      = `^https://.`
)

// schemaRules are what the types do not say of a value, by its key in the manual.
func schemaRules() map[string]node {
	words := func(list []string) node { return node{"enum": list} }
	between := func(low, high int) node { return node{"minimum": low, "maximum": high} }
	positive := node{"exclusiveMinimum": 0}
	r := map[string]node{
		"nats.url":                                       {"pattern": `^(nats|tls|ws|wss)://[^@]+$`},
		"nats.replicas":                                  {"enum": []int{1, 3, 5}},
		"ingest.listen":                                  {"pattern": hostPattern},
		"ingest.base_url":                                {"pattern": `^(https?://.*[^/])?$`},
		"ingest.tls":                                     {"required": []string{"cert_file", "key_file"}},
		"ingest.peer_rate.per_second":                    positive,
		"ingest.peer_rate.burst":                         {"minimum": 1},
		"ingest.rate.per_second":                         positive,
		"ingest.rate.burst":                              {"minimum": 1},
		"admin.listen":                                   {"pattern": hostPattern},
		"log.format":                                     words(logFormats),
		"log.level":                                      words(logLevels),
		"tracing.endpoint":                               {"pattern": `^(https?://[^@?#]+)?$`},
		"tracing.sample":                                 between(0, 1),
		"worker.fold_slots":                              between(1, 256),
		"worker.reconcile_slots":                         between(1, 4096),
		"tenants.<name>":                                 credentials(),
		"tenants.<name>.tenant_id":                       {"anyOf": []node{{"pattern": guidPattern.String()}, {"pattern": domainPattern.String()}}},
		"tenants.<name>.client_id":                       {"pattern": guidPattern.String()},
		"tenants.<name>.certificate":                     {"required": []string{"file"}},
		"tenants.<name>.managed_identity.client_id":      {"pattern": guidPattern.String()},
		"tenants.<name>.cloud":                           words(clouds),
		"tenants.<name>.quota.writes_per_second":         {"minimum": 0.01, "maximum": 1000},
		"tenants.<name>.quota.reads_per_second":          {"minimum": 0.01, "maximum": 1000},
		"tenants.<name>.quota.write_burst":               between(1, 1000),
		"tenants.<name>.quota.read_burst":                between(1, 1000),
		"tenants.<name>.graph_url":                       {"pattern": `^(` + urlPattern[1:] + `*[^/])?$`},
		"tenants.<name>.authority_url":                   {"pattern": `^(` + urlPattern[1:] + `*[^/])?$`},
		"sources.<name>":                                 {"required": []string{"kind", "tenants"}, "anyOf": anyCheck(), "dependentRequired": node{"signature": []string{"secrets"}}},
		"sources.<name>.kind":                            words(source.Kinds()),
		"sources.<name>.tenants":                         {"uniqueItems": true},
		"sources.<name>.intents[]":                       words(intents),
		"sources.<name>.item_types[]":                    words(itemTypes),
		"sources.<name>.rate.per_second":                 positive,
		"sources.<name>.rate.burst":                      {"minimum": 1},
		"sources.<name>.max_body":                        between(1, ingest.MaxBody),
		"sources.<name>.signature.preset":                words(verify.Presets()),
		"sources.<name>.http_signature":                  {"required": []string{"keys"}},
		"sources.<name>.http_signature.keys[]":           {"required": []string{"id", "algorithm"}, "oneOf": filedOrEnv()},
		"sources.<name>.http_signature.keys[].algorithm": words(httpAlgorithms),
		"sources.<name>.sns":                             {"required": []string{"topics", "secrets"}},
		"sources.<name>.bearer":                          {"required": []string{"issuer", "audiences", "clients"}, "oneOf": []node{{"required": []string{"jwks_url"}}, {"required": []string{"jwks_file"}}}},
		"sources.<name>.bearer.jwks_url":                 {"pattern": urlPattern},
		"sources.<name>.header":                          {"required": []string{"name", "secrets"}},
		"sources.<name>.basic":                           {"required": []string{"user", "secrets"}},
		"sources.<name>.certificate":                     {"anyOf": []node{{"required": []string{"subjects"}}, {"required": []string{"dns_names"}}}},
		"sources.<name>.client_state":                    {"required": []string{"secrets"}},
		"sources.<name>.handshake":                       {"required": []string{"kind"}},
		"sources.<name>.handshake.kind":                  words(handshakes),
		"*.env":                                          {"pattern": envPattern.String()},
		"*.id":                                           {"pattern": keyIDPattern.String()},
	}
	for key, list := range signatureWords {
		r["sources.<name>.signature."+key] = words(list)
	}
	return r
}

// signatureWords are verify's, which keeps them to itself; TestSignatureWords
// asks it.
var signatureWords = map[string][]string{
	"algorithm":        {"sha256", "sha512", "sha1", "ed25519"},
	"encoding":         {"hex", "base64", "base64url", "base64-of-hex"},
	"timestamp_format": {"unix", "unix-ms", "rfc3339"},
	"secret_form":      {"text", "base64", "hex", "whsec", "whpk"},
}

// credentials is that a tenant has one, and what goes with it.
func credentials() node {
	var list []node
	for _, key := range []string{"client_secret", "certificate", "federated_token", "managed_identity"} {
		list = append(list, node{"required": []string{key}})
	}
	return node{
		"required": []string{"tenant_id"}, "oneOf": list,
		"if":   node{"required": []string{"managed_identity"}},
		"then": node{"properties": node{"client_id": false, "cae": node{"const": false}}},
		"else": node{"required": []string{"client_id"}},
	}
}

func filedOrEnv() []node {
	return []node{{"required": []string{"file"}}, {"required": []string{"env"}}}
}

// anyCheck is that a source has one.
func anyCheck() (list []node) {
	for _, key := range []string{"secrets", "http_signature", "sns", "bearer", "header", "basic", "certificate", "client_state"} {
		list = append(list, node{"required": []string{key}})
	}
	return list
}

// go test -run TestSchemaIsOfTheTypes -update writes it.
func TestSchemaIsOfTheTypes(t *testing.T) {
	want := generate(t)
	if *update {
		if err := os.WriteFile("schema.json", want, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if !bytes.Equal(schema, want) {
		t.Error("schema.json is not what the types and the manual say; run: go test ./cmd/internal/boot -run TestSchemaIsOfTheTypes -update")
	}
}
