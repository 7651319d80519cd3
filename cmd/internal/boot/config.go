// Package boot is what every command shares before its own work begins: the
// configuration file, secrets, the log, signals, draining, and the command
// line. Only commands can import it; the packages that do the work are given
// plain values and never see a file, a flag or an environment variable.
//
//	flags ──► Load(file) ──► *Config ──► Parts: secrets and certificates read ──► Serve
//	            │                          │
//	            └──────── Mistakes ◄───────┘ every one, with file:line:column, key and remedy
//	                          │
//	SIGHUP, changed file ──► watch: sources and certificates read again; a mistake leaves the old in force
//
// The file is strict: an unknown or a repeated key stops the start. A typing
// error in a security setting must not become a default silently. For the same
// reason a list or a check that is there and empty is refused: somebody has
// commented its lines out, and did not mean to have none.
//
// schema.json says the same for editors. It is made of the types here, and a
// test holds the two together.
package boot

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"os"
	"time"
)

// MaxConfig bounds the configuration file, bytes. A thousand tenants fit in.
const MaxConfig = 1 << 20

// Config is the configuration file. docs/configuration.md explains each key,
// and a test keeps the two together. Tag option "file" marks a path that is
// relative to the configuration file's folder.
type Config struct {
	NATS    NATS              `yaml:"nats"`
	Ingest  Ingest            `yaml:"ingest"`
	Admin   Admin             `yaml:"admin"`
	Log     Log               `yaml:"log"`
	Tracing Tracing           `yaml:"tracing"`
	Worker  Worker            `yaml:"worker"`
	Tenants map[string]Tenant `yaml:"tenants"`
	Sources map[string]Source `yaml:"sources"`

	from origin
}

// An origin is the file that a Config was made of.
type origin struct {
	file   string
	sum    [sha256.Size]byte // of its bytes
	at     map[string]place
	loaded *Config        // as the file has it; a command may change its own copy
	level  *slog.LevelVar // of Logger; a reload moves it
}

// NATS says where the broker is and how it keeps what it is given.
type NATS struct {
	URL             string        `yaml:"url"`
	Replicas        int           `yaml:"replicas"`
	Retention       time.Duration `yaml:"retention"`
	CredentialsFile string        `yaml:"credentials_file,file"`
	Token           Secret        `yaml:"token"`
	CAFile          string        `yaml:"ca_file,file"`
	CertFile        string        `yaml:"cert_file,file"`
	KeyFile         string        `yaml:"key_file,file"`
}

// Ingest is the address that webhooks are sent to, and how it looks from
// outside.
type Ingest struct {
	Listen   string         `yaml:"listen"`
	BaseURL  string         `yaml:"base_url"`
	TLS      *TLS           `yaml:"tls"`     // nil: TLS ends in front of it
	Proxies  []netip.Prefix `yaml:"proxies"` // whose X-Forwarded-For is believed
	PeerRate Rate           `yaml:"peer_rate"`
	Rate     Rate           `yaml:"rate"`
}

// TLS are the files that ingest serves TLS with.
type TLS struct {
	CertFile     string `yaml:"cert_file,file"`
	KeyFile      string `yaml:"key_file,file"`
	ClientCAFile string `yaml:"client_ca_file,file"`
}

// A Rate is ingest.Rate with the names that the file uses.
type Rate struct {
	PerSecond float64 `yaml:"per_second"`
	Burst     int     `yaml:"burst"`
}

// Admin is the address of metrics and health, kept apart from the webhooks' so
// that neither is ever published by accident.
type Admin struct {
	Listen string `yaml:"listen"`
}

// Log says how the log is written.
type Log struct {
	Format string `yaml:"format"`
	Level  string `yaml:"level"`
}

// Tracing says where traces go; without an endpoint there are none.
type Tracing struct {
	Endpoint string            `yaml:"endpoint"`
	Sample   float64           `yaml:"sample"`
	Headers  map[string]Secret `yaml:"headers"`
	CAFile   string            `yaml:"ca_file,file"`
}

// Worker bounds the worker's two stages.
type Worker struct {
	FoldSlots      int           `yaml:"fold_slots"`
	ReconcileSlots int           `yaml:"reconcile_slots"`
	Pace           time.Duration `yaml:"pace"`
	Timing         Timing        `yaml:"timing"`
}

// Timing is what the device protocol takes for granted about Graph.
type Timing struct {
	Fresh  time.Duration `yaml:"fresh"`
	Lag    time.Duration `yaml:"lag"`
	Settle time.Duration `yaml:"settle"`
	Hold   time.Duration `yaml:"hold"`
	Skew   time.Duration `yaml:"skew"`
	Budget time.Duration `yaml:"budget"`
	MaxAge time.Duration `yaml:"max_age"`
}

// Load reads and checks the configuration file. What is wrong with its content
// comes back as Mistakes, all of them at once.
func Load(path string) (*Config, error) {
	data, err := readConfig(path)
	if err != nil {
		return nil, err
	}
	return Parse(path, data)
}

func readConfig(path string) ([]byte, error) {
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("reading the configuration: there is no file %s; name another with --config or CHANGERELAY_CONFIG", path)
	}
	if err != nil {
		return nil, fmt.Errorf("reading the configuration: %w", err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, MaxConfig+1))
	if err != nil {
		return nil, fmt.Errorf("reading the configuration: %w", err)
	}
	return data, nil
}

// Parse is Load for a file already read; name stands in errors, and relative
// files are relative to its folder.
func Parse(name string, data []byte) (*Config, error) {
	c, d := parse(name, data)
	if len(d.mistakes) > 0 {
		return nil, d.mistakes.sorted()
	}
	c.from = origin{file: name, sum: sha256.Sum256(data), at: d.at, level: new(slog.LevelVar)}
	c.from.level.Set(c.Log.level())
	loaded := *c
	c.from.loaded = &loaded
	return c, nil
}

func parse(name string, data []byte) (*Config, *decoder) {
	c := defaults()
	d := newDecoder(name)
	d.decode(data, &c)
	if len(d.mistakes) == 0 {
		// Not before: what could not be read would be reported again as missing.
		d.checkConfig(&c)
	}
	return &c, d
}
