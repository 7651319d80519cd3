package worker

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/nats-io/nats.go"

	"changerelay/internal/natstest"
)

// planted stands for a token in hostile replies.
const planted = "eyJwbGFudGVkIjoidG9rZW4ifQ.eyJub3QiOiJmb3ItbG9ncyJ9.cGxhbnRlZC1zaWduYXR1cmUtbm90LWZvci1sb2dz"

// piece is how much of a secret is known again: less stands anywhere by chance.
// A text is looked at in steps, so that it may hold a step less than two pieces.
const (
	piece = 16
	step  = 8
)

// phrases stand in a text only where a request, a header or an error of MSAL was
// written there as it is.
var phrases = []string{
	"client_assertion", "client_secret=", "client_secret%", "grant_type=", "access_token", "error_description", "Trace ID", "Correlation ID",
	"Invalid client secret provided", "http call(", "Bearer ", "Authorization", "Basic ",
}

// A vault knows every text that must not be seen, by its pieces.
type vault struct {
	mu     sync.Mutex
	pieces map[string]string // to what they are of
	known  map[string]bool   // what was kept
	whole  []string          // in all its forms
}

func newVault() *vault {
	v := &vault{pieces: map[string]string{}, known: map[string]bool{}}
	v.keep("the planted token", planted)
	return v
}

// keep remembers a secret in every form that it could be written in.
func (v *vault) keep(what, secret string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.known[secret] {
		return
	}
	v.known[secret] = true
	b := []byte(secret)
	for _, f := range []string{
		secret, url.QueryEscape(secret), hex.EncodeToString(b), base64.StdEncoding.EncodeToString(b), base64.RawURLEncoding.EncodeToString(b),
		base64.StdEncoding.EncodeToString([]byte(clientID + ":" + secret))[48:], // of a Basic header; before it is the id
	} {
		v.whole = append(v.whole, f)
		for i := range len(f) - piece + 1 {
			v.pieces[f[i:i+piece]] = what
		}
	}
}

// leaks says what of it a text holds.
func (v *vault) leaks(text string) []string {
	v.mu.Lock()
	defer v.mu.Unlock()
	found := map[string]bool{}
	for _, p := range phrases {
		if strings.Contains(text, p) {
			found["the phrase "+p] = true
		}
	}
	for i := 0; i+piece <= len(text); i += step {
		if what := v.pieces[text[i:i+piece]]; what != "" {
			found[what] = true
		}
	}
	return slices.Sorted(maps.Keys(found))
}

// A wiretap sees every token between the relay and Graph.
type wiretap struct {
	base *http.Transport
	to   *vault
}

var minted = regexp.MustCompile(`"access_token" *: *"([^"\\]{16,})`)

func (w *wiretap) RoundTrip(r *http.Request) (*http.Response, error) {
	if token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok {
		w.to.keep("an access token", token)
	}
	res, err := w.base.RoundTrip(r)
	if err == nil && strings.HasSuffix(r.URL.Path, "/token") {
		res.Body = &listener{ReadCloser: res.Body, to: w.to}
	}
	return res, err
}

func (w *wiretap) CloseIdleConnections() { w.base.CloseIdleConnections() }

// A listener hears an answer as it is read, broken ones too.
type listener struct {
	io.ReadCloser
	to    *vault
	heard bytes.Buffer
}

func (l *listener) Read(p []byte) (int, error) {
	n, err := l.ReadCloser.Read(p)
	l.heard.Write(p[:n])
	return n, err
}

func (l *listener) Close() error {
	if m := minted.FindSubmatch(l.heard.Bytes()); m != nil {
		l.to.keep("an access token", string(m[1]))
	}
	return l.ReadCloser.Close()
}

// stored are the subjects of what the broker keeps.
var stored = []string{"changes.>", "devices.>", "outcomes.>", "dead.>", "$KV.>"}

// A spy sees every message that the broker keeps: events, wake-ups, each version
// of each document, outcomes, dead letters.
type spy struct {
	mu   sync.Mutex
	seen bytes.Buffer
	kept map[string]int // messages by the first word of their subject
}

func spyOn(t *testing.T, url string) *spy {
	t.Helper()
	s := &spy{kept: map[string]int{}}
	nc := natstest.Connect(t, url)
	for _, subjects := range stored {
		sub, err := nc.Subscribe(subjects, s.see)
		if err == nil {
			err = sub.SetPendingLimits(-1, -1)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := nc.Flush(); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *spy) see(m *nats.Msg) {
	s.mu.Lock()
	defer s.mu.Unlock()
	word, _, _ := strings.Cut(m.Subject, ".")
	s.kept[word]++
	fmt.Fprintf(&s.seen, "%s %v %s\n", m.Subject, m.Header, m.Data)
}

// keepsSecrets looks for secrets in all that the relay wrote.
func (m *matrix) keepsSecrets(t *testing.T) {
	stacks := make([]byte, 1<<20)
	stacks = stacks[:runtime.Stack(stacks, true)]
	m.spy.mu.Lock()
	defer m.spy.mu.Unlock()
	for name, text := range map[string]string{
		"the log": m.log.String(), "the metrics": m.scrape(), "the broker": m.spy.seen.String(), "the stacks": string(stacks),
	} {
		if len(text) < 1000 {
			t.Errorf("%s: only %d bytes", name, len(text))
		}
		if found := m.secrets.leaks(text); len(found) > 0 {
			t.Errorf("%s: holds %v\n%s", name, found, m.secrets.where(text))
		}
	}
	for _, subjects := range stored {
		word := strings.TrimSuffix(subjects, ".>")
		if m.spy.kept[word] < len(m.trials)/10 {
			t.Errorf("the spy saw %d messages of %s", m.spy.kept[word], word)
		}
	}
	if n := len(m.secrets.whole); n < len(m.tenants)*4 {
		t.Errorf("only %d secrets were seen", n)
	}
	m.secrets.finds(t)
	t.Logf("scanned: %d bytes of log, %d of messages (%v), for %d secrets in %d pieces",
		len(m.log.String()), m.spy.seen.Len(), m.spy.kept, len(m.secrets.whole), len(m.secrets.pieces))
}

// where shows the line of the first leak.
func (v *vault) where(text string) string {
	for line := range strings.Lines(text) {
		if len(v.leaks(line)) > 0 {
			return line
		}
	}
	return ""
}

// finds wants the scan to find each secret, and a piece of it.
func (v *vault) finds(t *testing.T) {
	t.Helper()
	for _, s := range append(slices.Clone(v.whole), phrases...) {
		part := s[max(len(s)-2*piece, 0):]
		if len(v.leaks(`{"msg":"a line with `+s+` in it"}`)) == 0 || len(v.leaks("x"+part+"y")) == 0 {
			t.Errorf("the scan would not find %q", s)
		}
	}
	if found := v.leaks(`{"msg":"check tenant_id, client_id and client_secret in the configuration"}`); len(found) > 0 {
		t.Errorf("the scan finds %v where nothing is", found)
	}
}
