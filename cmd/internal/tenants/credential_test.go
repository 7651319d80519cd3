package tenants

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"changerelay/cmd/internal/boot"
)

// tenant is the least that a tenant needs.
const tenant = "tenants:\n  acme:\n    tenant_id: acme.example\n    client_id: 2b222222-2222-3333-4444-555555555555\n    client_secret: {file: acme}\n"

// A credential that cannot be read stops the start, and says where it should be.
func TestTenantCredentials(t *testing.T) {
	const assertion = "eyJhbGciOiJub25lIn0.eyJhdWQiOiJhcGk6Ly9BenVyZUFEVG9rZW5FeGNoYW5nZSJ9.x"
	t.Setenv(boot.FederatedTokenFile, "")
	for _, c := range []struct{ name, credential, env, want string }{
		{"secret", "client_secret: {file: good}", "", ""},
		{"no secret", "client_secret: {file: none}", "", "there is no file"},
		{"no certificate", "certificate: {file: none}", "", "relay.yaml:5:5: tenants.acme.certificate: there is no file"},
		{"no PEM", "certificate: {file: good}", "", "neither PEM nor PKCS#12"},
		{"no password", "certificate: {file: good, password: {file: none}}", "", "tenants.acme.certificate.password: there is no file"},
		{"federated", "federated_token: {file: good}", "", ""},
		{"federated, AKS", "federated_token: {}", "good", ""},
		{"federated, file first", "federated_token: {file: none}", "good", "there is no file"},
		{"federated, nowhere", "federated_token: {}", "", "AZURE_FEDERATED_TOKEN_FILE is not set; set federated_token.file"},
		{"managed", "managed_identity: {}", "", ""},
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "good"), []byte(assertion+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if c.env != "" {
			c.env = filepath.Join(dir, c.env)
		}
		t.Setenv(boot.FederatedTokenFile, c.env)
		text := strings.Replace(tenant, "client_secret: {file: acme}", c.credential, 1)
		if strings.HasPrefix(c.credential, "managed") {
			text = strings.Replace(text, "    client_id: 2b222222-2222-3333-4444-555555555555\n", "", 1)
		}
		conf, err := boot.Parse(filepath.Join(dir, "relay.yaml"), []byte(text))
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		_, err = Graph(conf, "acme")
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one about %q", c.name, err, c.want)
		}
		if err != nil && strings.Contains(err.Error(), assertion[:20]) {
			t.Errorf("%s: the error shows the token", c.name)
		}
	}
}
