package boot

import (
	"time"

	"changerelay/internal/ingest/verify"
)

// The checks of a source are those of verify.Config, with the names that the
// file uses and with places of secrets where that has secrets. What they leave
// out has verify's defaults.

// A Signature is a preset, or parameters, or parameters over a preset. The
// secrets are the source's.
type Signature struct {
	Preset string `yaml:"preset"`
	Parameters
}

// Parameters are verify.Scheme's; converting one to the other does not compile
// when their fields differ.
type Parameters struct {
	Header          string        `yaml:"header"`
	Prefix          string        `yaml:"prefix"`
	Delimiter       string        `yaml:"delimiter"`
	PrefixOnce      bool          `yaml:"prefix_once"`
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

// prepare puts the preset under the parameters, so that those that are there
// replace it, empty ones too.
func (s *Signature) prepare(text func(key string) string) {
	if scheme, ok := verify.Preset(text("preset")); ok {
		s.Parameters = Parameters(scheme)
	}
}

// A Header is verify.Header.
type Header struct {
	Name    string `yaml:"name"`
	Prefix  string `yaml:"prefix"`
	Secrets []Key  `yaml:"secrets"`
}

// Basic is verify.Basic.
type Basic struct {
	User    string `yaml:"user"`
	Secrets []Key  `yaml:"secrets"`
}

// A Bearer is verify.Bearer.
type Bearer struct {
	Issuer     string        `yaml:"issuer"`
	Audiences  []string      `yaml:"audiences"`
	Tenant     string        `yaml:"tenant"`
	Clients    []string      `yaml:"clients"`
	Roles      []string      `yaml:"roles"`
	Algorithms []string      `yaml:"algorithms"`
	JWKSURL    string        `yaml:"jwks_url"`
	JWKSFile   string        `yaml:"jwks_file,file"`
	Leeway     time.Duration `yaml:"leeway"`

	jwks []byte // what JWKSFile holds
}

// An HTTPSignature is verify.HTTPSignature.
type HTTPSignature struct {
	Keys       []HTTPKey     `yaml:"keys"`
	Components []string      `yaml:"components"`
	Tag        string        `yaml:"tag"`
	Tolerance  time.Duration `yaml:"tolerance"`
}

// An HTTPKey is verify.HTTPKey.
type HTTPKey struct {
	Key
	Algorithm string `yaml:"algorithm"`
}

// A Certificate is verify.Certificate.
type Certificate struct {
	Subjects []string `yaml:"subjects"`
	DNSNames []string `yaml:"dns_names"`
}

// SNS is verify.SNS.
type SNS struct {
	Topics  []string `yaml:"topics"`
	Secrets []Key    `yaml:"secrets"` // certificates
}

// ClientState is verify.ClientState.
type ClientState struct {
	Secrets []Key `yaml:"secrets"`
}
