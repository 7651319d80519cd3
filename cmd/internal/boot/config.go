// Package boot is what every command shares before its own work begins: the
// configuration file, secrets, the log, signals, draining, and the command
// line. Only commands can import it; the packages that do the work are given
// plain values and never see a file, a flag or an environment variable.
//
//	flags ──► Load(file) ──► *Config ──► the command builds its parts ──► Serve
//	            │
//	            └─ Mistakes: every one, each with file:line:column, key and remedy
//
// The file is strict: an unknown or a repeated key stops the start. A typing
// error in a security setting must not become a default silently.
package boot

import (
	"errors"
	"fmt"
	"io"
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
	Worker  Worker            `yaml:"worker"`
	Tenants map[string]Tenant `yaml:"tenants"`
	Sources map[string]Source `yaml:"sources"`
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
	Listen  string `yaml:"listen"`
	BaseURL string `yaml:"base_url"`
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

// defaults is the one place where defaults are written.
func defaults() Config {
	return Config{
		NATS:   NATS{URL: "nats://127.0.0.1:4222", Replicas: 3, Retention: 720 * time.Hour},
		Ingest: Ingest{Listen: ":8080"},
		Admin:  Admin{Listen: ":8081"},
		Log:    Log{Format: "json", Level: "info"},
		Worker: Worker{FoldSlots: 4, ReconcileSlots: 32, Pace: time.Second, Timing: Timing{
			Fresh:  time.Minute,
			Lag:    30 * time.Second,
			Settle: 5 * time.Minute,
			Hold:   8 * time.Hour,
			Skew:   5 * time.Second,
			Budget: 30 * time.Second,
			MaxAge: 4 * time.Hour,
		}},
	}
}

// Load reads and checks the configuration file. What is wrong with its content
// comes back as Mistakes, all of them at once.
func Load(path string) (*Config, error) {
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("reading the configuration: there is no file %s; name another with --config", path)
	}
	if err != nil {
		return nil, fmt.Errorf("reading the configuration: %w", err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, MaxConfig+1))
	if err != nil {
		return nil, fmt.Errorf("reading the configuration: %w", err)
	}
	return Parse(path, data)
}

// Parse is Load for a file already read; name stands in errors, and relative
// files are relative to its folder.
func Parse(name string, data []byte) (*Config, error) {
	c := defaults()
	d := newDecoder(name)
	d.decode(data, &c)
	if len(d.mistakes) == 0 {
		// Not before: what could not be read would be reported again as missing.
		d.checkConfig(&c)
	}
	if len(d.mistakes) > 0 {
		return nil, d.mistakes.sorted()
	}
	return &c, nil
}
