package boot

import (
	"time"

	"changerelay/internal/ingest/source"
	"changerelay/internal/ingest/verify"
)

// A Tenant is one Entra tenant whose devices the relay may change.
type Tenant struct {
	TenantID     string `yaml:"tenant_id"`
	ClientID     string `yaml:"client_id"`
	ClientSecret Secret `yaml:"client_secret"`
	Cloud        string `yaml:"cloud"`
	GraphURL     string `yaml:"graph_url"`
	AuthorityURL string `yaml:"authority_url"`
	CAFile       string `yaml:"ca_file,file"`
}

func (t *Tenant) setDefaults() { t.Cloud = "global" }

// A Source is one sender of webhooks.
type Source struct {
	Kind      string     `yaml:"kind"`
	Tenants   []string   `yaml:"tenants"` // or "*" alone: every tenant
	Secrets   []Secret   `yaml:"secrets"`
	Signature *Signature `yaml:"signature"` // nil: the kind's usual scheme
	Fields    Fields     `yaml:"fields"`
}

// Scheme is how the source signs: its own way, or its kind's usual one.
func (s Source) Scheme() verify.Scheme {
	if s.Signature == nil {
		return verify.Usual(s.Kind)
	}
	return verify.Scheme(*s.Signature)
}

// A Signature is verify.Scheme with the names that the file uses; converting
// one to the other does not compile when their fields differ. What it leaves
// out has verify's defaults.
type Signature struct {
	Header          string        `yaml:"header"`
	Prefix          string        `yaml:"prefix"`
	Delimiter       string        `yaml:"delimiter"`
	Algorithm       string        `yaml:"algorithm"`
	Encoding        string        `yaml:"encoding"`
	Signed          string        `yaml:"signed"`
	IDHeader        string        `yaml:"id_header"`
	TimestampHeader string        `yaml:"timestamp_header"`
	TimestampPrefix string        `yaml:"timestamp_prefix"`
	TimestampFormat string        `yaml:"timestamp_format"`
	Tolerance       time.Duration `yaml:"tolerance"`
	SecretForm      string        `yaml:"secret_form"`
}

// Fields is source.Fields in the same way: the columns of a ServiceNow record.
type Fields struct {
	Ticket    string `yaml:"ticket"`
	SysID     string `yaml:"sys_id"`
	ModCount  string `yaml:"mod_count"`
	UpdatedOn string `yaml:"updated_on"`
	Approval  string `yaml:"approval"`
	Device    string `yaml:"device"`
	Apps      string `yaml:"apps"`
	Action    string `yaml:"action"`
	ItemType  string `yaml:"item_type"`
}

// Columns is what the decoder of a servicenow source is given.
func (f Fields) Columns() source.Fields { return source.Fields(f) }
