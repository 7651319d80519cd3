package relay

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"changerelay/internal/events"
	"changerelay/internal/ingest"
	"changerelay/internal/ingest/verify"
	"changerelay/internal/natstest"
)

// Two sources sign the same text in the same second. What one has used up, the
// other has not.
func TestProofIsOfItsSource(t *testing.T) {
	const other = "another-secret-of-these-tests"
	desk, help := zendesk("desk"), zendesk("help")
	help.Checks.Signature.Keys = []verify.Key{{ID: "one", Secret: other}}
	r := start(t, natstest.Server(t).URL(), func(p *Parts) { p.Sources = []ingest.Source{desk, help} })
	at := time.Now()
	for i, c := range []struct {
		source, secret string
		code           int
	}{{"help", other, http.StatusAccepted}, {"desk", secret, http.StatusAccepted}, {"desk", secret, http.StatusOK}} {
		if code, answer := r.post(c.source, signBy(t, c.secret, at, "delivery", ticket(1)), ticket(1)); code != c.code {
			t.Errorf("%d: %s is answered %d %s, want %d", i, c.source, code, answer, c.code)
		}
	}
}

// Who has a source's secret cannot fill DEAD.
func TestParkingIsBounded(t *testing.T) {
	b := natstest.Server(t)
	r := start(t, b.URL(), func(*Parts) {})
	kept, sent := 0, ingest.ParkRate.Burst+20
	for i := range sent {
		body := fmt.Appendf(nil, "{broken %d", i)
		code, answer := r.post("desk", sign(t, fmt.Sprint(i), body), body)
		if code != http.StatusUnprocessableEntity {
			t.Errorf("body %d is answered %d %s", i, code, answer)
		}
		if strings.Contains(answer, `"parked":true`) {
			kept++
		}
	}
	ls, err := attach(t, b.URL()).Letters(t.Context(), events.DeadPrefix+">", 0, sent)
	if err != nil || len(ls) != kept || kept < ingest.ParkRate.Burst || kept == sent {
		t.Errorf("%d letters, %v; %d of %d were said to be kept", len(ls), err, kept, sent)
	}
}

// A client whose CA is taken out is out, on the connection that it has too.
func TestClientCAIsTakenOut(t *testing.T) {
	server, roots := selfSigned(t)
	client, clients := selfSigned(t)
	desk := zendesk("desk")
	desk.Checks.Certificate = &verify.Certificate{DNSNames: []string{"desk.example"}}
	var inForce atomic.Pointer[x509.CertPool]
	inForce.Store(clients)
	r := start(t, natstest.Server(t).URL(), func(p *Parts) {
		p.Sources, p.ClientCAs = []ingest.Source{desk}, inForce.Load
		p.TLS = &tls.Config{Certificates: []tls.Certificate{server}, ClientAuth: tls.VerifyClientCertIfGiven, ClientCAs: clients}
	})
	r.ingest = strings.Replace(r.ingest, "http:", "https:", 1)
	var handshakes atomic.Int32
	transport := &http.Transport{ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{RootCAs: roots,
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { handshakes.Add(1); return &client, nil }}}
	defer transport.CloseIdleConnections()
	r.client = &http.Client{Transport: transport}
	r.wants("desk", "1", ticket(1), http.StatusAccepted)
	inForce.Store(x509.NewCertPool())
	r.wants("desk", "2", ticket(2), http.StatusUnauthorized)
	inForce.Store(clients)
	r.wants("desk", "3", ticket(3), http.StatusAccepted)
	if n := handshakes.Load(); n != 1 {
		t.Errorf("there were %d connections, and one was to be tried", n)
	}
}
