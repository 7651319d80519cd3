package boot

import (
	"cmp"
	"net/netip"

	"changerelay/internal/ingest"
	"changerelay/internal/ingest/source"
	"changerelay/internal/ingest/verify"
)

// A Tenant is one Entra tenant whose devices the relay may change. It has one
// credential of four.
type Tenant struct {
	TenantID string `yaml:"tenant_id"`
	ClientID string `yaml:"client_id"` // "" with a managed identity

	ClientSecret    Secret           `yaml:"client_secret"`
	Certificate     *AppCertificate  `yaml:"certificate"`
	FederatedToken  *FederatedToken  `yaml:"federated_token"`
	ManagedIdentity *ManagedIdentity `yaml:"managed_identity"`
	CAE             bool             `yaml:"cae"`

	Cloud        string `yaml:"cloud"`
	GraphURL     string `yaml:"graph_url"`
	AuthorityURL string `yaml:"authority_url"`
	CAFile       string `yaml:"ca_file,file"`

	Quota      Quota `yaml:"quota"`
	OwnSet     bool  `yaml:"own_set"`
	RestoreAll bool  `yaml:"restore_all"`
}

// A Quota is how fast the tenant's application calls Graph, from all workers
// together.
type Quota struct {
	WritesPerSecond float64 `yaml:"writes_per_second"`
	WriteBurst      int     `yaml:"write_burst"`
	ReadsPerSecond  float64 `yaml:"reads_per_second"`
	ReadBurst       int     `yaml:"read_burst"`
}

// Application is the client that Graph counts the tenant's calls of. A
// system-assigned identity has no id here: it is the machine's, and the only one.
func (t Tenant) Application() string {
	if t.ManagedIdentity != nil {
		return cmp.Or(t.ManagedIdentity.ClientID, "system-assigned")
	}
	return t.ClientID
}

func (t *Tenant) setDefaults() {
	t.Cloud, t.Quota = "global", Quota{WritesPerSecond: 7, WriteBurst: 20, ReadsPerSecond: 60, ReadBurst: 200}
}

// A Source is one sender of webhooks. Every check that it has must pass: Secrets
// are those of the signature, each other check has its own.
type Source struct {
	Kind string `yaml:"kind"`

	// What it may ask for.
	Tenants   []string       `yaml:"tenants"`    // or "*" alone: every tenant
	Intents   []string       `yaml:"intents"`    // nil: both
	ItemTypes []string       `yaml:"item_types"` // nil: all
	AllowFrom []netip.Prefix `yaml:"allow_from"` // nil: any address

	Rate    Rate `yaml:"rate"`
	MaxBody int  `yaml:"max_body"` // bytes
	Gzip    bool `yaml:"gzip"`

	Secrets       []Key          `yaml:"secrets"`
	Signature     *Signature     `yaml:"signature"` // nil: the kind's usual scheme
	HTTPSignature *HTTPSignature `yaml:"http_signature"`
	SNS           *SNS           `yaml:"sns"`
	Bearer        *Bearer        `yaml:"bearer"`
	Header        *Header        `yaml:"header"`
	Basic         *Basic         `yaml:"basic"`
	Certificate   *Certificate   `yaml:"certificate"`
	ClientState   *ClientState   `yaml:"client_state"`

	Fields    map[string]string `yaml:"fields"` // meaning → path
	Approved  []string          `yaml:"approved"`
	Map       map[string]string `yaml:"map"` // meaning → CEL expression
	Handshake *Handshake        `yaml:"handshake"`
}

func (s *Source) setDefaults() {
	s.Rate, s.MaxBody = Rate(ingest.DefaultRate), ingest.DefaultMaxBody
}

// A Handshake is ingest.Handshake with the names that the file uses.
type Handshake struct {
	Kind  string   `yaml:"kind"`
	Allow []string `yaml:"allow"`
}

// Scheme is how the source signs: its own way, or its kind's usual one. It is
// the zero Scheme, which nothing can be verified with, for a source that has no
// secrets of a signature.
func (s Source) Scheme() verify.Scheme {
	if len(s.Secrets) == 0 {
		return verify.Scheme{}
	}
	if s.Signature != nil {
		return verify.Scheme(s.Signature.Parameters)
	}
	usual, _ := verify.Preset(source.Scheme(s.Kind))
	return usual
}

// Decoder makes the decoder of the source's bodies. Its errors name the field.
func (s Source) Decoder(name string) (source.Decoder, error) {
	c := source.Config{Name: name, Fields: s.Fields, Approved: s.Approved, Map: s.Map}
	if len(s.Tenants) == 1 && s.Tenants[0] != "*" {
		c.Tenant = s.Tenants[0]
	}
	return source.New(s.Kind, c)
}
