package main

import (
	"encoding/json"
	"fmt"
	"testing"

	"changerelay/cmd/internal/boot"
)

func TestConfigLint(t *testing.T) {
	const example = "../../docs/changerelay.example.yaml"
	c, err := boot.Load(example)
	if err != nil {
		t.Fatal(err)
	}
	ok := fmt.Sprintf("OK: %s has 1 tenant and %d sources", example, len(c.Sources))
	runWith(t, "", "config", "lint", example).want(t, 0, ok, "")
	t.Setenv("CHANGERELAY_CONFIG", example)
	runWith(t, "", "config", "lint").want(t, 0, ok, "")
	runWith(t, "", "config", "lint", "/none.yaml").fails(t, 1, "there is no file /none.yaml")

	r := &rig{t: t, dir: t.TempDir()}
	bad := r.write("bad.yaml", "nats: {urll: x}\nlog: {level: loud}\n")
	runWith(t, "", "config", "lint", bad).fails(t, 1, "relayctl: "+bad+`:1:8: nats.urll: unknown key, did you mean "url"?`)
	runWith(t, "", "config", "lint", bad).fails(t, 1, "relayctl: "+bad+`:2:7: log.level: does not fit the schema at "/log/level": enum`)

	misspelt := r.write("misspelt.yaml", `tenants:
  acme: {tenant_id: 1a111111-2222-3333-4444-555555555555, client_id: 2b222222-2222-3333-4444-555555555555, client_secret: {file: acme}}
sources:
  desk:
    kind: mapped
    tenants: [acme]
    signature: {preset: github}
    secrets: [{env: DESK}]
    map: {when: 'recrd.ok', ticket: record.t, device: record.d, items: record.i}
`)
	runWith(t, "", "config", "lint", misspelt).fails(t, 1, "relayctl: "+misspelt+":9:11: sources.desk.map.when: line 1, column 1: undeclared reference to 'recrd'")
}

func TestConfigSchema(t *testing.T) {
	got := runWith(t, "", "config", "schema")
	var schema struct {
		Properties map[string]any `json:"properties"`
	}
	if err := json.Unmarshal([]byte(got.out), &schema); err != nil || got.code != 0 || schema.Properties["sources"] == nil {
		t.Errorf("%d, %v:\n%s", got.code, err, got.out)
	}
}
