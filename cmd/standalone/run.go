package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/url"
	"slices"
	"strings"

	"github.com/nats-io/nats.go"

	"changerelay/cmd/internal/boot"
	"changerelay/cmd/internal/tenants"
	"changerelay/internal/relay"
	"changerelay/internal/standalone"
	"changerelay/internal/stream"
)

// run starts broker, tenant and relay, in that order, and stops them the other
// way round.
func (c *cli) run(ctx context.Context, out io.Writer) (err error) {
	release, err := standalone.Lock(c.Data)
	if err != nil {
		return err
	}
	defer release()
	broker, err := standalone.StartBroker(ctx, c.Data, c.NATS)
	if err != nil {
		return err
	}
	defer func() { broker.Shutdown(); broker.WaitForShutdown() }()
	path := c.Config
	if path == "" {
		demo, err := standalone.StartDemo(c.Data, broker.ClientURL(), or(c.Listen, ":8080"), or(c.Admin, ":8081"))
		if err != nil {
			return err
		}
		defer func() { _ = demo.Sim.Close() }()
		path = demo.Config
	}
	cfg, err := c.load(path)
	if err != nil {
		return err
	}
	log := cfg.Logger(out)
	if !names(cfg.NATS.URL, broker.ClientURL()) {
		log.Warn("nats.url names another broker than this program's own, and relayctl --config looks there: set nats.url to this one's address, or --nats to that of nats.url",
			"config", path, "broker", broker.ClientURL())
	}
	p, err := cfg.Parts(relay.Ingest|relay.Worker, tenants.NewService, log)
	if err != nil {
		return err
	}
	nc, err := stream.Connect(broker.ClientURL(), "standalone", log, nats.InProcessServer(broker))
	if err != nil {
		return err
	}
	defer nc.Close()
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	p.Up = func(ingest, admin net.Addr) {
		b := banner{path: path, data: c.Data, broker: broker.ClientURL(), ingest: local(ingest), admin: local(admin), simulated: c.Config == ""}
		b.print(out)
		if b.simulated && !c.NoSample {
			go c.sample(ctx, cfg, b, log, out)
		}
	}
	err = p.Run(ctx, nc, relay.Ingest|relay.Worker)
	if err == nil {
		fmt.Fprintln(out, "stopped; nothing is lost: start it again on", c.Data)
	}
	return err
}

// load reads the configuration. The broker is this process's own: one copy of
// each stream, whatever a cluster would keep.
func (c *cli) load(path string) (*boot.Config, error) {
	cfg, err := boot.Load(path)
	if err != nil {
		return nil, err
	}
	cfg.NATS.Replicas = 1
	cfg.Ingest.Listen = or(c.Listen, cfg.Ingest.Listen)
	cfg.Admin.Listen = or(c.Admin, cfg.Admin.Listen)
	return cfg, nil
}

// names reports whether one of the URLs of a configuration is the broker's.
func names(urls, broker string) bool {
	return slices.ContainsFunc(strings.Split(urls, ","), func(u string) bool { return hostPort(u) == hostPort(broker) })
}

// hostPort is where a broker's URL leads; "" is nowhere.
func hostPort(broker string) string {
	u, err := url.Parse(strings.TrimSpace(broker))
	if err != nil {
		return ""
	}
	host := u.Hostname()
	if host == "localhost" {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, or(u.Port(), "4222"))
}

// sample shows that something happens.
func (c *cli) sample(ctx context.Context, cfg *boot.Config, b banner, log *slog.Logger, out io.Writer) {
	secret, err := cfg.Sources["servicenow"].Secrets[0].Read()
	if err == nil {
		var id, outcome string
		if id, outcome, err = standalone.SendSample(ctx, b.ingest, b.admin, "servicenow", secret); err == nil {
			b.next(out, id, outcome)
			return
		}
	}
	if ctx.Err() == nil && !errors.Is(err, context.Canceled) {
		log.Error("the sample did not get through", "err", err)
	}
}

func or(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// local is how this machine reaches a listener.
func local(a net.Addr) string {
	host, port, _ := net.SplitHostPort(a.String())
	if ip := net.ParseIP(host); ip == nil || ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return "http://" + net.JoinHostPort(host, port)
}

// A banner says where everything is and what to try.
type banner struct {
	path, data, broker, ingest, admin string
	simulated                         bool
}

func (b banner) print(out io.Writer) {
	lines := []string{
		"changerelay " + boot.Version(),
		"  webhooks  " + b.ingest + "/v1/changes and /v1/hooks/<source>",
		"  admin     " + b.admin + "/metrics /healthz /readyz",
		"  broker    " + b.broker + " (no password: keep it on loopback; store in " + b.data + ", synced on every write)",
		"  config    " + b.path,
	}
	if b.simulated {
		lines = append(lines, "  tenant    "+standalone.DemoTenant+", simulated: no real device is touched")
	}
	fmt.Fprintln(out, strings.Join(lines, "\n"))
}

// next says what to type after the sample.
func (b banner) next(out io.Writer, id, outcome string) {
	fmt.Fprintf(out, `
The sample ticket CHG0031877 ended: %s. Try next, in another terminal:

  curl -s %s/v1/changes/%s
  go run ./cmd/relayctl send%s --config %s --tenant %s --device %s --ticket CHG0031337 --remove 5b1c9b0e-5d0c-4b43-9a0a-2f6f7d6a1c01 --wait
  go run ./cmd/relayctl device --config %s %s %s

`, outcome, b.ingest, id, b.flag(), b.path, standalone.DemoTenant, standalone.DemoDevice, b.path, standalone.DemoTenant, standalone.DemoDevice)
}

// flag tells relayctl where the relay is, unless it is where relayctl looks.
func (b banner) flag() string {
	if b.ingest == "http://127.0.0.1:8080" {
		return ""
	}
	return " --url " + b.ingest
}
