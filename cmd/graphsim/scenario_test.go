package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const good = "tenants:\n  - id: t\n    apps: [{client_id: a, client_secret: hunter2}]\n"

// Mistakes name line, column, key and remedy, and quote nothing.
func TestScenarioMistakes(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{good + "    devicez: []\n", "4:5: tenants[0].devicez: unknown key (known here: apps, deleted_items, devices, id, run_states)"},
		{"knobs:\n  check_in: 5\n", "2:3: knobs.check_in: want a duration"},
		{"knobs:\n  approval: maybe\n", "2:3: knobs.approval: must be one of: off, documented, field"},
		{"knobs:\n  justification_status: 418\n", "2:3: knobs.justification_status: must be one of: 400, 403"},
		{"knobs:\n  item_cap: -1\n", "2:3: knobs.item_cap: must be 0 to 1000000"},
		{"knobs:\n  item_cap: many\n", "2:3: knobs.item_cap: want a number"},
		{"knobs:\n  never_shown: 1\n", "2:3: knobs.never_shown: want true or false"},
		{"tenants:\n  - id: t\n", "2:7: tenants[0].apps: a tenant needs an app"},
		{"tenants:\n  - apps: [{client_id: a}]\n", ": tenants[0].id: the tenant needs an id"},
		{good + "  - id: T\n    apps: [{client_id: a}]\n", "4:5: tenants[1].id: another tenant has this id"},
		{good + "    devices:\n      - id: d\n        ownership: mine\n", "6:9: tenants[0].devices[0].ownership: want one of: company"},
		{good + "    run_states: [{family: f, script: s, state: x, device: d}]\n", "tenants[0].run_states[0].device: this tenant has no such device"},
		{"tenants:\n  - id: t\n    apps: [{client_id: a, certificates: [none.pem]}]\n", "tenants[0].apps[0].certificates[0]: reading the file"},
		{"faults:\n  - op: put\n", "2:5: faults[0].op: want one of: post, get"},
		{"faults:\n  - {chance: 2}\n", "faults[0].chance: want 0 to 1"},
		{"faults:\n  - {point: during}\n", "faults[0].point: want before or after"},
		{"faults:\n  - {status: 42, times: -2}\n", "faults[0].status: want 200 to 599"},
		{"seed: &a 1\n", "1:7: anchors, aliases and tags are not supported"},
		{"seed: 1\n---\nseed: 2\n", "1:1: a scenario is one document"},
		{"seed: [1\n", "1:7: "},
		{"- 1\n", "want a section with keys"},
	} {
		_, err := parse([]byte(c.text), t.TempDir())
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s\n got %v\nwant %s", c.text, err, c.want)
		}
		if err != nil && strings.Contains(err.Error(), "hunter2") {
			t.Errorf("the secret is in %v", err)
		}
	}
}

func TestScenarioForms(t *testing.T) {
	dir := t.TempDir()
	makePair(t, filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem"))
	for name, text := range map[string]string{
		"empty": "", "comment": "# nothing\n", "JSON": `{"tenants":[{"id":"t","apps":[{"client_id":"a"}]}],"knobs":{"item_cap":0}}`,
		"files": "tenants:\n  - id: t\n    apps:\n      - client_id: a\n        certificates: [cert.pem]\n        federated: [{issuer: i, subject: s, key_file: cert.pem}]\n",
	} {
		if _, err := parse([]byte(text), dir); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	file := filepath.Join(dir, "s.yaml")
	if err := os.WriteFile(file, []byte("nope: 1\nmore: 2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := (&cli{Scenario: file}).scenario()
	if err == nil || !strings.Contains(err.Error(), file+":1:1: nope: unknown key") || !strings.Contains(err.Error(), file+":2:1: more: unknown key") {
		t.Errorf("the error is %v", err)
	}
}
