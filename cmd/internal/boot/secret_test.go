package boot

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestSecretRead(t *testing.T) {
	for _, c := range []struct{ stored, want string }{
		{"s3cret", "s3cret"},
		{"s3cret\n", "s3cret"},
		{"s3cret\r\n", "s3cret"},
		{"s3cret\n\n", "s3cret\n"}, // one newline is the editor's, two are meant
		{" s3cret ", " s3cret "},
		{"s3cret\r", "s3cret\r"},
	} {
		file := filepath.Join(t.TempDir(), "secret")
		if err := os.WriteFile(file, []byte(c.stored), 0o600); err != nil {
			t.Fatal(err)
		}
		t.Setenv("BOOT_TEST_SECRET", c.stored)
		for _, s := range []Secret{{File: file}, {Env: "BOOT_TEST_SECRET"}} {
			if got, err := s.Read(); got != c.want || err != nil {
				t.Errorf("%s holding %q: %q, %v", s, c.stored, got, err)
			}
		}
	}
}

func TestSecretErrors(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	t.Setenv("BOOT_TEST_EMPTY", "\n")
	for _, c := range []struct{ secret, want string }{
		{"{file: " + write("empty", "\n") + "}", "the file DIR/empty is empty; write the secret into it"},
		{"{file: none}", "there is no file DIR/none; create it, or mount the secret there"},
		{"{file: " + write("large", strings.Repeat("hunter2", 10_000)) + "}", "the file DIR/large is larger than 65536 bytes; is it the right one?"},
		{"{env: BOOT_TEST_EMPTY}", "the environment variable BOOT_TEST_EMPTY is empty; write the secret into it"},
		{"{env: BOOT_TEST_UNSET}", "the environment variable BOOT_TEST_UNSET is not set; set it, or name a file"},
	} {
		text := strings.Replace(tenant, "{file: acme}", c.secret, 1)
		cfg, err := Parse(filepath.Join(dir, "relay.yaml"), []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		_, err = cfg.Tenants["acme"].ClientSecret.Read()
		want := strings.ReplaceAll("DIR/relay.yaml:5:5: tenants.acme.client_secret: "+c.want, "DIR", dir)
		if err == nil || err.Error() != want {
			t.Errorf("%s: %v\nwant %s", c.secret, err, want)
		}
	}
	if _, err := (Secret{}).Read(); err == nil {
		t.Error("a secret that is configured nowhere was read")
	}
}

func TestConfigPrintsNoSecret(t *testing.T) {
	t.Setenv("BOOT_TEST_SECRET", "hunter2")
	cfg, err := Parse("relay.yaml", []byte(strings.Replace(tenant, "file: acme", "env: BOOT_TEST_SECRET", 1)))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := cfg.Tenants["acme"].ClientSecret.Read(); err != nil {
		t.Fatal(err)
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
		if s := fmt.Sprintf(verb, cfg.Tenants); strings.Contains(s, "hunter2") {
			t.Errorf("%s prints %s", verb, s)
		}
	}
}
