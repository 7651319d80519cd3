package main

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Ids of the simulated tenants are made up.
const (
	acme    = "a3c1b7f0-52de-4c0a-9b1e-7f3c1d529b01"
	globex  = "a3c1b7f0-52de-4c0a-9b1e-7f3c1d529b02"
	initech = "a3c1b7f0-52de-4c0a-9b1e-7f3c1d529b03" // its secret lapses
	client  = "c4d0e9a5-23c1-4b7f-8a1d-112b7e1d5202"
)

// Devices of a tenant. The desk's usual tickets are about the first of them, so
// that each of the others has one story.
const (
	phones = 13
	usual  = 8
)

// device is the id of a tenant's nth.
func device(tenant string, n int) string {
	return fmt.Sprintf("0f9a6d1e-7b0a-4d0e-9a52-3c1b7f%s%04d", tenant[len(tenant)-2:], n)
}

// app is the id of the nth app that tickets are about.
func app(n int) string { return fmt.Sprintf("5b1c9b0e-5d0c-4b43-9a0a-2f6f7d6a%04d", n) }

// secrets are made anew for each tour.
var secretNames = []string{"acme", "globex", "initech", "desk", "desk-old", "scanner", "servicenow"}

// files writes everything that the programs read.
func (s *stage) files() error {
	s.secrets = map[string]string{}
	for _, name := range secretNames {
		key := make([]byte, 32)
		_, _ = rand.Read(key) // never fails
		s.secrets[name] = base64.StdEncoding.EncodeToString(key)
		if strings.HasPrefix(name, "desk") || name == "scanner" {
			s.secrets[name] = "whsec_" + s.secrets[name]
		}
	}
	files := map[string]string{
		"scenario.yaml": s.scenario(), "prometheus.yml": s.scraping(),
		"changerelay.yaml": s.configuration(s.ingestAdmin), "worker.yaml": s.configuration(s.workerAdmin),
	}
	for name, text := range s.secrets {
		files[name+".secret"] = text
	}
	files["initech.secret"] = "lapsed" // until the day mends it
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(s.dir, name), []byte(text), 0o600); err != nil {
			return fmt.Errorf("writing the tour's files: %w", err)
		}
	}
	return nil
}

// scenario is the simulated Graph's.
func (s *stage) scenario() string {
	var b strings.Builder
	b.WriteString("seed: 1\nknobs: {check_in: 2s}\ntenants:\n")
	for id, secret := range map[string]string{acme: s.secrets["acme"], globex: s.secrets["globex"], initech: s.secrets["initech"]} {
		fmt.Fprintf(&b, "  - id: %s\n    apps: [{client_id: %s, client_secret: %q}]\n    devices:\n", id, client, secret)
		for n := range phones {
			fmt.Fprintf(&b, "      - {id: %s, name: Phone %d, platform: iOS}\n", device(id, n), n)
		}
	}
	return b.String()
}

// configuration is the relay's; the services differ in where they serve metrics.
func (s *stage) configuration(admin string) string {
	var b strings.Builder
	fmt.Fprintf(&b, `nats: {url: "nats://%s", replicas: 1}
ingest: {listen: %q}
admin: {listen: %q}
worker:
  pace: 200ms
  timing: {fresh: 5s, lag: 2s, settle: 6s, hold: 1h, skew: 500ms, budget: 3s}
tenants:
`, s.brokerAddr, s.ingest, admin)
	for name, id := range map[string]string{"acme": acme, "globex": globex, "initech": initech} {
		fmt.Fprintf(&b, "  %s: {tenant_id: %s, client_id: %s, client_secret: {file: %s.secret}, cloud: custom, graph_url: \"https://%s\", authority_url: \"https://%s\", ca_file: ca.pem}\n",
			name, id, client, name, s.graph, s.graph)
	}
	fmt.Fprintf(&b, `sources:
  desk:
    kind: cloudevents
    tenants: ["*"]
    secrets:
      - {file: desk.secret, id: new}
      - {file: desk-old.secret, id: old, not_after: %s}
  scanner:
    kind: cloudevents
    tenants: [acme]
    rate: {per_second: 1, burst: 2}
    secrets: [{file: scanner.secret}]
  servicenow:
    kind: servicenow
    tenants: [acme]
    secrets: [{file: servicenow.secret}]
`, time.Now().Add(-time.Hour).UTC().Format(time.RFC3339))
	return b.String()
}

// scraping is Prometheus': each service is a job, as in a cluster.
func (s *stage) scraping() string {
	return fmt.Sprintf(`global: {scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 5s, scrape_native_histograms: true, always_scrape_classic_histograms: true}
rule_files: [%q]
scrape_configs:
  - job_name: changerelay-ingest
    static_configs: [{targets: [%q], labels: {namespace: tour}}]
  - job_name: changerelay-worker
    static_configs: [{targets: [%q], labels: {namespace: tour}}]
`, filepath.Join(s.rules, "*.yaml"), s.ingestAdmin, s.workerAdmin)
}
