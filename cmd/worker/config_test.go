package main

import (
	"strings"
	"testing"

	"changerelay/cmd/internal/boot"
)

// A worker shares its configuration file with ingest, and is built without the
// language of expressions: what they say keeps no worker from its work, what is
// around them does.
func TestExpressionsAreIngests(t *testing.T) {
	const text = `tenants:
  acme: {tenant_id: 1a111111-2222-3333-4444-555555555555, client_id: 2b222222-2222-3333-4444-555555555555, client_secret: {file: acme}}
sources:
  desk:
    kind: mapped
    tenants: [acme]
    signature: {preset: github}
    secrets: [{env: DESK}]
    map: {when: 'recrd.', ticket: record.t, device: record.d, items: record.i}
`
	for _, c := range []struct{ old, new, want string }{
		{"", "", ""},
		{"items: record.i", "each: '1'", "relay.yaml:9:5: sources.desk.map.items: want either this, or map.changes, or a path in fields.items"},
		{"recrd.", " ", "relay.yaml:9:11: sources.desk.map.when: is empty; give an expression such as record.id, or leave it out"},
		{"device: record.d", "devise: record.d", `relay.yaml:9:45: sources.desk.map.devise: unknown key, did you mean "device"?`},
	} {
		_, err := boot.Parse("relay.yaml", []byte(strings.Replace(text, c.old, c.new, 1)))
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.HasPrefix(err.Error(), c.want)) {
			t.Errorf("with %q: got %v, want %s", c.new, err, c.want)
		}
	}
}
