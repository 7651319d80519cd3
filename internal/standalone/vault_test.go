package standalone

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"io"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// A vault knows every text that must not be seen in a log, a metric or an answer.
type vault struct {
	mu    sync.Mutex
	texts map[string]string // to what it is
}

// phrases stand in a log only where a request, a header or an error of MSAL was
// written there as it is.
var phrases = []string{
	"client_assertion", "client_secret=", "client_secret%", "grant_type=", "access_token", "error_description", "Trace ID", "Correlation ID",
	"Invalid client secret provided", "http call(", "Bearer ", "Authorization", "Webhook-Signature", "X-Hmac-Signature", "whsec_",
}

func newVault() *vault {
	v := &vault{texts: map[string]string{}}
	for _, p := range phrases {
		v.texts[p] = "the phrase " + p
	}
	for name, secret := range sourceSecrets {
		v.keep("the secret of "+name, secret)
	}
	return v
}

// keep remembers a secret in every form that it could be written in.
func (v *vault) keep(what, secret string) {
	forms := []string{secret, strings.TrimPrefix(secret, "whsec_"), url.QueryEscape(secret), hex.EncodeToString([]byte(secret))}
	if key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_")); err == nil {
		forms = append(forms, string(key), hex.EncodeToString(key), base64.RawURLEncoding.EncodeToString(key))
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, f := range forms {
		if len(f) >= 8 { // shorter ones stand anywhere by chance
			v.texts[f] = what
		}
	}
}

// token remembers an access token, whole and in parts.
func (v *vault) token(raw string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.texts[raw] = "an access token"
	for part := range strings.SplitSeq(raw, ".") {
		if len(part) >= 20 {
			v.texts[part] = "a part of an access token"
		}
	}
}

// headers remembers the signatures of a request.
func (v *vault) headers(h http.Header) {
	for _, name := range []string{"Webhook-Signature", "X-Hmac-Signature"} {
		if s := h.Get(name); s != "" {
			v.keep("a signature", strings.TrimPrefix(s, "v1,"))
		}
	}
}

// leaks says what of it a text holds.
func (v *vault) leaks(text string) []string {
	v.mu.Lock()
	defer v.mu.Unlock()
	found := map[string]bool{}
	for s, what := range v.texts {
		if strings.Contains(text, s) {
			found[what] = true
		}
	}
	return slices.Sorted(maps.Keys(found))
}

func (v *vault) count(what string) (n int) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, w := range v.texts {
		if w == what {
			n++
		}
	}
	return n
}

// A wiretap sees every token between the relay and the cloud.
type wiretap struct {
	base *http.Transport
	to   *vault
}

var minted = regexp.MustCompile(`"access_token" *: *"([^"]+)`)

func (w *wiretap) RoundTrip(r *http.Request) (*http.Response, error) {
	if token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok {
		w.to.token(token)
	}
	res, err := w.base.RoundTrip(r)
	if err != nil || !strings.HasSuffix(r.URL.Path, "/token") {
		return res, err
	}
	body, err := io.ReadAll(res.Body)
	res.Body.Close()
	if err != nil {
		return nil, err
	}
	if m := minted.FindSubmatch(body); m != nil {
		w.to.token(string(m[1]))
	}
	res.Body = io.NopCloser(bytes.NewReader(body))
	return res, nil
}

func (w *wiretap) CloseIdleConnections() { w.base.CloseIdleConnections() }
