package boot

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"changerelay/cmd/internal/conform"
)

const example = "../../../docs/changerelay.example.yaml"

func TestExampleLoads(t *testing.T) {
	c, err := Load(example)
	if err != nil {
		t.Fatal(err)
	}
	if c.Tenants["acme"].Cloud != "global" || len(c.Sources["desk"].Secrets) != 2 {
		t.Errorf("the example was not read: %+v", c)
	}
	if s := c.Sources["servicenow"].Scheme(); s.Header != "X-SN-Signature" || s.Encoding != "base64" || s.Tolerance != 5*time.Minute {
		t.Errorf("signature = %+v", s)
	}
	if c.Sources["desk"].Signature != nil {
		t.Error("a source without a signature section got one")
	}
}

// The example promises that what it shows are the defaults.
func TestExampleShowsDefaults(t *testing.T) {
	c, err := Load(example)
	if err != nil {
		t.Fatal(err)
	}
	d := defaults()
	d.NATS.Token = c.NATS.Token // it knows its place
	was, is := *c, d
	was.Tenants, was.Sources, was.from, is.from = nil, nil, origin{}, origin{}
	if !reflect.DeepEqual(was, is) {
		t.Errorf("example = %+v\ndefaults = %+v", was, is)
	}
}

func TestEmptyFileIsDefaults(t *testing.T) {
	for _, text := range []string{"", "# nothing\n", "nats:\nworker:\n  timing:\n", "\ufeff{}\r\n"} {
		c, err := Parse("relay.yaml", []byte(text))
		if err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		if d := defaults(); c.NATS != d.NATS || c.Worker != d.Worker {
			t.Errorf("%q: %+v", text, c)
		}
	}
}

func TestIDsAreLowerCase(t *testing.T) {
	text := strings.NewReplacer("1a", "1A", "2b", "2B").Replace(tenant)
	c, err := Parse("relay.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	a := c.Tenants["acme"]
	if a.TenantID != strings.ToLower(a.TenantID) || a.ClientID != strings.ToLower(a.ClientID) {
		t.Errorf("ids = %s, %s", a.TenantID, a.ClientID)
	}
}

func TestPathsAreRelativeToTheFile(t *testing.T) {
	text := "nats: {ca_file: ca.pem, credentials_file: /abs/x.creds}\n"
	c, err := Parse("/etc/relay/relay.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	if c.NATS.CAFile != "/etc/relay/ca.pem" || c.NATS.CredentialsFile != "/abs/x.creds" {
		t.Errorf("paths = %q, %q", c.NATS.CAFile, c.NATS.CredentialsFile)
	}
}

func TestLoadNamesTheMissingFile(t *testing.T) {
	_, err := Load("no/such.yaml")
	want := "reading the configuration: there is no file no/such.yaml; name another with --config or CHANGERELAY_CONFIG"
	if err == nil || err.Error() != want {
		t.Errorf("error = %v, want %s", err, want)
	}
}

func TestLargeFileIsRefused(t *testing.T) {
	_, err := Parse("relay.yaml", []byte(strings.Repeat("#", MaxConfig+1)))
	if err == nil || !strings.Contains(err.Error(), "larger than 1048576 bytes") {
		t.Errorf("error = %v", err)
	}
}

// Whatever the file is, the answer is a Config or Mistakes with places.
func FuzzParse(f *testing.F) {
	f.Add([]byte(tenant))
	for _, m := range append(mistakes, sourceMistakes...) {
		f.Add([]byte(m.text))
	}
	for _, text := range goodSources {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 4<<10 {
			t.Skip("the parser is quadratic in nesting; the file is the operator's own")
		}
		_, d := parse("relay.yaml", data)
		if err := d.validate(conform.Check); err != nil {
			t.Fatal(err)
		}
		for _, m := range d.mistakes {
			if m.Line < 1 || m.Column < 1 || m.Reason == "" {
				t.Fatalf("mistake without place or reason: %+v", m)
			}
		}
	})
}
