package trial

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"
)

// A service is an ingest or a worker, with its links to the brokers and to Graph.
type service struct {
	process
	config  string // file
	head    string // of it, but for the sources
	text    string // of it, without mistakes
	url     string // of ingest's listener
	admin   string // host:port
	brokers []*link
	graph   *link
}

func (s *service) links() []*link {
	if s.graph == nil {
		return s.brokers
	}
	return append(append([]*link{}, s.brokers...), s.graph)
}

func (s *service) close() {
	if s.cmd != nil {
		s.kill()
	}
	for _, l := range s.links() {
		l.close()
	}
}

// startRelay starts one worker, which declares the streams, and then all others.
func (t *trial) startRelay(ctx context.Context) error {
	const secret = "a-key-of-the-trial-not-of-any-desk!"
	t.key = "desk"
	t.secret.Store(secret)
	if err := t.newKey(t.key, secret); err != nil {
		return err
	}
	t.secrets()
	for i := range 3 {
		s, err := t.service("worker", i)
		if err != nil {
			return err
		}
		t.workers = append(t.workers, s)
	}
	for i := range 2 {
		s, err := t.service("ingest", i)
		if err != nil {
			return err
		}
		t.ingests = append(t.ingests, s)
	}
	for _, s := range append(append([]*service{}, t.workers...), t.ingests...) {
		if err := t.ready(ctx, s); err != nil {
			return err
		}
	}
	return nil
}

// ready waits until the service says that it is.
func (t *trial) ready(ctx context.Context, s *service) error {
	err := t.until(ctx, s.name, readyFor, func() bool {
		ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
		defer cancel()
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.admin+"/readyz", nil)
		if err != nil {
			return false
		}
		res, err := http.DefaultClient.Do(r)
		if err != nil {
			return false
		}
		_ = res.Body.Close()
		return res.StatusCode == http.StatusOK
	})
	if err != nil {
		return fmt.Errorf("%w; it says:\n%s", err, s.tail())
	}
	return nil
}

func (t *trial) service(kind string, n int) (*service, error) {
	s := &service{config: t.path(fmt.Sprintf("%s-%d.yaml", kind, n))}
	var urls []string
	for _, b := range t.brokers {
		l, err := newLink(b.client)
		if err != nil {
			return nil, err
		}
		s.brokers = append(s.brokers, l)
		urls = append(urls, "nats://"+l.addr())
	}
	ports, err := freePorts(2)
	if err != nil {
		return nil, err
	}
	s.admin, s.url = fmt.Sprintf("127.0.0.1:%d", ports[0]), fmt.Sprintf("http://127.0.0.1:%d", ports[1])
	var c strings.Builder
	fmt.Fprintf(&c, "nats: {url: %q, replicas: %d}\nadmin: {listen: %q}\nlog: {level: debug, format: text}\n", strings.Join(urls, ","), len(t.brokers), s.admin)
	fmt.Fprintf(&c, "ingest: {listen: \"127.0.0.1:%d\"}\n", ports[1])
	fmt.Fprintf(&c, "worker: {pace: %s, timing: {fresh: %s, lag: %s, settle: %s, hold: 8h, skew: %s, budget: %s, max_age: %s}}\n", pace, fresh, lag, settle, skew, budget, maxAge)
	graph := t.graph.addr
	if kind == "worker" {
		if s.graph, err = newLink(t.graph.addr); err != nil {
			return nil, err
		}
		graph = s.graph.addr()
	}
	c.WriteString("tenants:\n")
	for _, one := range t.graph.tenants {
		fmt.Fprintf(&c, "  %s:\n    tenant_id: %s\n    client_id: %s\n    client_secret: {file: %s.secret}\n    cae: true\n    cloud: custom\n    graph_url: https://%s\n    authority_url: https://%s\n    ca_file: graph-ca.pem\n",
			one.name, one.id, one.client, one.name, graph, graph)
	}
	s.head = c.String()
	s.text = s.head + sources(t.key)
	if err := os.WriteFile(s.config, []byte(s.text), 0o600); err != nil {
		return nil, err
	}
	s.name, s.bin, s.log = fmt.Sprintf("%s-%d", kind, n), t.bin[kind], t.path(fmt.Sprintf("%s-%d.log", kind, n))
	s.args = []string{"--config", s.config}
	return s, s.start()
}
