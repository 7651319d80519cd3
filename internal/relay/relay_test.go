package relay

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"changerelay/internal/await"
	"changerelay/internal/events"
	"changerelay/internal/ingest"
	"changerelay/internal/ingest/verify"
	"changerelay/internal/natstest"
	"changerelay/internal/stream"
)

const secret = "a-secret-of-these-tests-alone"

// zendesk is a source whose delivery ids are not signed, so that its deliveries
// are marked.
func zendesk(name string) ingest.Source {
	scheme, _ := verify.Preset("zendesk")
	return ingest.Source{Name: name, Kind: "zendesk", Tenants: []string{"acme"},
		Checks: verify.Config{Signature: &verify.Signature{Scheme: scheme, Keys: []verify.Key{{ID: "one", Secret: secret}}}}}
}

// ticket is what its trigger sends.
func ticket(number int) []byte {
	return fmt.Appendf(nil, `{"ticket_id":"%d","custom_status":"Approved","updated_at":"2026-11-22T15:42:51Z",`+
		`"device_id":"6f4c1f0e-6a0c-4b0f-9a1c-2f6f6f2d7a11","app_id":"a7d7a9a2-3a57-4e7c-8f3b-5b8f2f0c9e21","action":"remove"}`, number)
}

// A replica is one running ingest service.
type replica struct {
	t             *testing.T
	ingest, admin string
	client        *http.Client
}

// start runs an ingest service until the test ends. change may alter its parts.
func start(t *testing.T, broker string, change func(*Parts)) *replica {
	t.Helper()
	up := make(chan *replica, 1)
	p := Parts{
		Sources: []ingest.Source{zendesk("desk")}, Tenants: []string{"acme"},
		IngestAddr: "127.0.0.1:0", AdminAddr: "127.0.0.1:0", Version: "test", Log: slog.New(slog.DiscardHandler),
		Up: func(ingest, admin net.Addr) {
			up <- &replica{t: t, ingest: "http://" + ingest.String(), admin: "http://" + admin.String(), client: http.DefaultClient}
		},
	}
	change(&p)
	nc := natstest.Connect(t, broker)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- p.Run(ctx, nc, Ingest) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("the relay ended: %v", err)
		}
	})
	select {
	case r := <-up:
		await.State(t, "readiness", func() bool { code, _ := r.get("/readyz"); return code == http.StatusOK })
		return r
	case err := <-ended:
		ended <- nil
		t.Fatalf("the relay did not start: %v", err)
		panic("unreachable")
	}
}

func (r *replica) get(path string) (int, string) {
	resp, err := http.Get(r.admin + path)
	if err != nil {
		r.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}

// sign is a delivery's headers.
func sign(t *testing.T, id string, body []byte) http.Header {
	t.Helper()
	return signBy(t, secret, time.Now(), id, body)
}

func signBy(t *testing.T, secret string, at time.Time, id string, body []byte) http.Header {
	t.Helper()
	scheme, _ := verify.Preset("zendesk")
	h, err := verify.Sign(scheme, secret, id, at, body)
	if err != nil {
		t.Fatal(err)
	}
	h.Set("Content-Type", "application/json")
	return h
}

// post sends a delivery, and returns the code and the answer.
func (r *replica) post(source string, h http.Header, body []byte) (int, string) {
	req, err := http.NewRequestWithContext(r.t.Context(), http.MethodPost, r.ingest+"/v1/hooks/"+source, bytes.NewReader(body))
	if err != nil {
		r.t.Error(err)
		return 0, ""
	}
	req.Header = h
	resp, err := r.client.Do(req)
	if err != nil {
		r.t.Error(err)
		return 0, ""
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		r.t.Error(err)
	}
	return resp.StatusCode, resp.Proto + " " + string(b)
}

// wants checks the code of a delivery of its own.
func (r *replica) wants(source, id string, body []byte, code int) string {
	r.t.Helper()
	got, answer := r.post(source, sign(r.t, id, body), body)
	if got != code {
		r.t.Errorf("delivery %s to %s: %d %s, want %d", id, source, got, answer, code)
	}
	return answer
}

// counts checks a line of the metrics.
func (r *replica) counts(line string) {
	r.t.Helper()
	if _, all := r.get("/metrics"); !strings.Contains(all, "\n"+line+"\n") {
		r.t.Errorf("the metrics lack %s", line)
	}
}

func attach(t *testing.T, broker string) *stream.Streams {
	t.Helper()
	s, err := stream.Attach(t.Context(), natstest.Connect(t, broker), stream.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// Two replicas get the same delivery at the same instant: it is one event, and
// both senders hear that it is stored.
func TestTwoReplicasStoreADeliveryOnce(t *testing.T) {
	b := natstest.Server(t)
	rs := []*replica{start(t, b.URL(), func(*Parts) {}), start(t, b.URL(), func(*Parts) {})}
	const n = 50
	var fresh [n]int
	for i := range n {
		h := sign(t, fmt.Sprint("delivery-", i), ticket(i))
		var both sync.WaitGroup
		codes := make([]int, len(rs))
		for j, r := range rs {
			both.Go(func() { codes[j], _ = r.post("desk", h, ticket(i)) })
		}
		both.Wait()
		for _, code := range codes {
			switch code {
			case http.StatusAccepted:
				fresh[i]++
			case http.StatusOK:
			default:
				t.Errorf("ticket %d is answered %d", i, code)
			}
		}
	}
	for i, f := range fresh {
		if f != 1 {
			t.Errorf("ticket %d was new to %d senders, want 1", i, f)
		}
	}
}

// What a verified sender sends and nobody can read is in DEAD, once.
func TestABrokenBodyIsParked(t *testing.T) {
	b := natstest.Server(t)
	r := start(t, b.URL(), func(*Parts) {})
	broken := []byte(`{"ticket_id":"1","title":"a "quoted" word"}`)
	r.wants("desk", "one", broken, http.StatusUnprocessableEntity)
	r.wants("desk", "two", broken, http.StatusUnprocessableEntity)
	ls, err := attach(t, b.URL()).Letters(t.Context(), events.DeadPrefix+">", 0, 10)
	if err != nil || len(ls) != 1 {
		t.Fatalf("%d letters, %v; want 1", len(ls), err)
	}
	if l := ls[0]; l.Source != "desk" || l.Delivery != "one" || l.Reason == "" || !bytes.Equal(l.Data, broken) || l.Size != len(broken) {
		t.Errorf("the letter is %+v", l)
	}
	r.counts(`changerelay_ingest_parked_total{source="desk"} 2`)
}

// Sources come and go while the service runs; a bad list changes nothing.
func TestWatch(t *testing.T) {
	type order struct {
		sources []ingest.Source
		done    chan error
	}
	orders := make(chan order)
	r := start(t, natstest.Server(t).URL(), func(p *Parts) {
		p.Watch = func(ctx context.Context, apply func(Change) error, report func(bool)) {
			for {
				select {
				case o := <-orders:
					err := apply(Change{Sources: o.sources, Tenants: []string{"acme"}})
					report(err == nil)
					o.done <- err
				case <-ctx.Done():
					return
				}
			}
		}
	})
	give := func(s ...ingest.Source) error {
		o := order{s, make(chan error)}
		orders <- o
		return <-o.done
	}
	r.wants("desk", "1", ticket(1), http.StatusAccepted)
	r.wants("help", "2", ticket(2), http.StatusUnauthorized)
	r.counts(`changerelay_config_last_reload_successful 1`)
	if err := give(zendesk("help"), ingest.Source{Name: "none"}); err == nil || !strings.Contains(err.Error(), `"none"`) {
		t.Errorf("a source without checks: %v", err)
	}
	r.wants("desk", "3", ticket(3), http.StatusAccepted)
	r.counts(`changerelay_config_reloads_total{result="failed"} 1`)
	r.counts(`changerelay_config_last_reload_successful 0`)
	if err := give(zendesk("help")); err != nil {
		t.Error(err)
	}
	r.wants("desk", "4", ticket(4), http.StatusUnauthorized)
	r.wants("help", "5", ticket(5), http.StatusAccepted)
	r.counts(`changerelay_config_reloads_total{result="ok"} 1`)
	r.counts(`changerelay_config_last_reload_successful 1`)
	r.counts(`changerelay_ingest_key_uses_total{check="signature",key="one",source="help"} 1`)
	r.counts(`changerelay_ingest_replay_protection{source="help"} 1`)
}

// A server that is given a certificate speaks TLS and HTTP/2, and nothing else.
func TestTLS(t *testing.T) {
	certificate, roots := selfSigned(t)
	r := start(t, natstest.Server(t).URL(), func(p *Parts) { p.TLS = &tls.Config{Certificates: []tls.Certificate{certificate}} })
	if code, _ := r.post("desk", sign(t, "1", ticket(1)), ticket(1)); code != http.StatusBadRequest {
		t.Errorf("without TLS: %d, want 400", code)
	}
	r.ingest = strings.Replace(r.ingest, "http:", "https:", 1)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, ForceAttemptHTTP2: true}
	defer transport.CloseIdleConnections()
	r.client = &http.Client{Transport: transport}
	if answer := r.wants("desk", "2", ticket(2), http.StatusAccepted); !strings.HasPrefix(answer, "HTTP/2.0") {
		t.Errorf("the answer is %s", answer)
	}
}

func selfSigned(t *testing.T) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, DNSNames: []string{"desk.example"}}
	der, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(parsed)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, roots
}

// Until the streams are open, everything is to be tried again.
func TestBrokerOpens(t *testing.T) {
	var b broker
	for what, err := range map[string]error{
		"publish": second(b.Publish(t.Context(), events.Event{})), "find": second(b.Find(t.Context(), events.Ref{})),
		"park": b.Park(t.Context(), ingest.Parked{}), "begin": second(b.Begin(t.Context(), nil, nil, 0)), "ready": b.Ready(t.Context()),
	} {
		if !errors.Is(err, stream.ErrUnavailable) {
			t.Errorf("%s: %v, want ErrUnavailable", what, err)
		}
	}
}

// The errors of marks are those that ingest knows.
func TestBegin(t *testing.T) {
	nc := natstest.Connect(t, natstest.Server(t).URL())
	s, err := stream.Open(t.Context(), nc, stream.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var b broker
	b.streams.Store(s)
	ref := func(key string) []events.Ref {
		return []events.Ref{{Address: events.Address{Tenant: "acme", Device: "6f4c1f0e-6a0c-4b0f-9a1c-2f6f6f2d7a11"}, Key: events.Key("/test", key)}}
	}
	m, err := b.Begin(t.Context(), []byte("proof"), ref("1"), time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	if other, err := b.Begin(t.Context(), []byte("proof"), ref("2"), time.Hour); !errors.Is(err, stream.ErrUnavailable) || other != nil {
		t.Errorf("while it is held: %v, %v; want ErrUnavailable", other, err)
	}
	if err := m.Done(t.Context()); err != nil {
		t.Fatal(err)
	}
	if other, err := b.Begin(t.Context(), []byte("proof"), ref("2"), time.Hour); !errors.Is(err, ingest.ErrReplayed) || other != nil {
		t.Errorf("when it is done: %v, %v; want ErrReplayed", other, err)
	}
}

func second[T any](_ T, err error) error { return err }
