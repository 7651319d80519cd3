package graph_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"software.sslmate.com/src/go-pkcs12"

	"changerelay/internal/graph"
)

// leaks says what an error shows that it must not, in any way it is printed.
func leaks(err error) string {
	var all strings.Builder
	for e := err; e != nil; e = errors.Unwrap(e) {
		fmt.Fprintf(&all, "%v %+v %#v %q ", e, e, e, e)
	}
	asJSON, _ := json.Marshal(err)
	all.Write(asJSON)
	return shows(all.String())
}

// shows names what a text has that it must not.
func shows(text string) string {
	key := keyPEM(nil, keys().a)
	for _, bad := range []string{filePassword, string(key[40:80]), keys().a.D.String()[:30], asserted, asserted[:20], secret, jwtOf(1), jwtOf(1)[:20], jwtOf(1)[40:80], "Bearer", "openid-configuration", "access_token"} {
		if strings.Contains(text, bad) {
			return bad + " in " + text
		}
	}
	return ""
}

// asserted is a federated token.
var asserted = projected("api://AzureADTokenExchange", 7)

// everyCredential is each kind, with Entra or the machine answering by f.
func everyCredential(t *testing.T, f func(http.ResponseWriter, *http.Request, int)) map[string]func(*graph.Config) {
	key, leaf := keys().a, good(t, keys().a)
	return map[string]func(*graph.Config){
		"secret":  func(*graph.Config) {},
		"PEM":     withFile(join(keyPEM(t, key), certPEM(leaf))),
		"PKCS#12": withFile(p12(t, pkcs12.LegacyDES, key, leaf), filePassword),
		"federated": func(c *graph.Config) {
			c.Credential = graph.Credential{FederatedToken: func() (string, error) { return asserted, nil }}
		},
		"CAE":         func(c *graph.Config) { c.CAE = true },
		"managed":     managed(&graph.ManagedIdentity{Transport: imds(t, func(w http.ResponseWriter, r *http.Request) { f(w, r, 0) })}, time.Now),
		"gone secret": vanishing(),
	}
}

// vanishing can be read once.
func vanishing() func(*graph.Config) {
	reads := 0
	return func(c *graph.Config) {
		c.Credential.Secret = func() (string, error) {
			if reads++; reads > 1 {
				return "", io.ErrUnexpectedEOF
			}
			return secret, nil
		}
	}
}

// raw answers with bytes that need not be HTTP.
func raw(text string) func(http.ResponseWriter, *http.Request, int) {
	return func(w http.ResponseWriter, _ *http.Request, _ int) {
		conn, _, err := w.(http.Hijacker).Hijack()
		if err == nil {
			_, _ = io.WriteString(conn, text)
			_ = conn.Close()
		}
	}
}

func TestNoErrorHoldsASecret(t *testing.T) {
	tok := jwtOf(1)
	entra := map[string]func(http.ResponseWriter, *http.Request, int){
		"no expiry":      reply(200, `{"access_token":"`+tok+`"}`),
		"bad expiry":     reply(200, `{"expires_in":"x","access_token":"`+tok+`"}`),
		"not JSON":       reply(200, `{"access_token":"`+tok+`"`),
		"description":    reply(401, `{"error":"invalid_client","error_description":"AADSTS7000215 secret `+secret+` Bearer `+tok+`"}`),
		"error word":     reply(400, `{"error":"`+secret+`"}`),
		"error in 200":   reply(200, `{"error":"`+secret+`","expires_in":3600}`),
		"text":           reply(500, tok+secret),
		"redirect":       reply(307, tok, "Location", "https://127.0.0.1:1/"+secret),
		"malformed HTTP": raw("HTTP/1.1 " + tok + " " + secret + "\r\n\r\n"),
		"malformed head": raw("HTTP/1.1 200 OK\r\n" + tok + secret + "\r\n\r\n"),
		"newline":        reply(200, `{"expires_in":3600,"access_token":"`+tok+`\n"}`),
	}
	for name, f := range entra {
		for kind, credential := range everyCredential(t, f) {
			c := newCloud(t, false)
			c.entra = f
			g := c.client(t, credential)
			err := post(t, g)
			if bad := leaks(err); bad != "" || err == nil {
				t.Errorf("entra, %s, %s: %v %s", name, kind, err, bad)
			}
			if bad := shows(fmt.Sprintf("%v %+v %#v", g, g, *g)); bad != "" {
				t.Errorf("%s: a dump of the client shows %s", kind, bad)
			}
		}
	}
	nested, _ := json.Marshal(`{"ErrorCode":"` + tok + `","Message":"you sent Bearer ` + tok + ` and ` + secret + `"}`)
	theirs := map[string]func(http.ResponseWriter, *http.Request, int){
		"echo":           reply(400, `{"error":{"code":"`+tok+`","message":"Authorization: Bearer `+tok+`"}}`),
		"part of it":     reply(400, `{"error":{"code":"`+tok[:30]+`","message":"got `+tok[:90]+`"}}`),
		"nested":         reply(401, `{"error":{"code":"UnknownError","message":`+string(nested)+`}}`),
		"inner id":       reply(403, `{"error":{"innerError":{"request-id":"`+tok+`"}}}`),
		"headers":        reply(403, ``, "request-id", tok, "x-msft-approval-code", "Bearer "+tok),
		"text":           reply(500, tok+secret),
		"redirect":       reply(302, ``, "Location", "https://"+tok+"\x7f/"),
		"malformed HTTP": raw("HTTP/1.1 " + tok + "\r\n\r\n"),
		"malformed head": raw("HTTP/1.1 200 OK\r\nA B: Bearer " + tok + "\r\n\r\n"),
		"bad chunk":      raw("HTTP/1.1 400 Bad\r\nTransfer-Encoding: chunked\r\n\r\n" + tok),
	}
	for name, f := range theirs {
		c := newCloud(t, false)
		c.graph = f
		g := c.client(t)
		if bad := leaks(post(t, g)); bad != "" {
			t.Errorf("graph, %s: %s", name, bad)
		}
		if bad := leaks(read(t, g)); bad != "" {
			t.Errorf("graph read, %s: %s", name, bad)
		}
	}
}

// A short opaque token has no form to be known by.
func TestEchoedOpaqueTokenIsHidden(t *testing.T) {
	c := newCloud(t, false)
	c.entra = reply(200, `{"expires_in":3600,"access_token":"opaque-7"}`)
	c.graph = reply(400, `{"error":{"code":"opaque-7","message":"opaque-7 is bad, so is `+secret+`"}}`)
	e := kind(t, post(t, c.client(t)), graph.Refused)
	if strings.Contains(e.Error(), "opaque-7") || strings.Contains(e.Error(), secret) || e.Message != "… is bad, so is …" {
		t.Error(e)
	}
}

func TestFailureTextIsClean(t *testing.T) {
	c := newCloud(t, false)
	c.graph = reply(200, `{"deviceActionResults":[{"actionName":"changeAssignments","deviceAssignmentItems":[
		{"itemId":"a","assignmentItemActionStatus":"error","intentActionMessage":"Bearer `+jwtOf(1)+`"}]}]}`)
	r, err := c.client(t).ActionResult(t.Context(), graph.ManagedDevice(device))
	if err != nil || strings.Contains(r.Failed["a"], jwtOf(1)[:20]) {
		t.Errorf("%+v %v", r, err)
	}
}

func TestNewNamesTheField(t *testing.T) {
	c := newCloud(t, false)
	for want, spoil := range map[string]func(*graph.Config){
		"TenantID":              func(c *graph.Config) { c.TenantID = "a/b" },
		"TenantID is":           func(c *graph.Config) { c.TenantID = "common" },
		"ClientID":              func(c *graph.Config) { c.ClientID = "" },
		"Credential needs":      func(c *graph.Config) { c.Credential = graph.Credential{} },
		"Secret: it is empty":   func(c *graph.Config) { c.Credential.Secret = func() (string, error) { return "", nil } },
		"Credential.Secret: EO": func(c *graph.Config) { c.Credential.Secret = func() (string, error) { return "", io.EOF } },
		"exactly one":           func(c *graph.Config) { c.Credential.ManagedIdentity, c.ClientID = &graph.ManagedIdentity{}, "" },
		"UserAgent":             func(c *graph.Config) { c.UserAgent = "a\nb" },
		"Graph is not https":    func(c *graph.Config) { c.Cloud.Graph = "http://graph.example" },
		"Graph is not a URL":    func(c *graph.Config) { c.Cloud.Graph = "" },
		"Authority is not":      func(c *graph.Config) { c.Cloud.Authority = "http://login.example" },
		"Authority ends":        func(c *graph.Config) { c.Cloud.Authority = "https://login.example/" },
		"Authority has more":    func(c *graph.Config) { c.Cloud.Authority = "https://u:" + secret + "@login.example" },
		"Graph has more than a": func(c *graph.Config) { c.Cloud.Graph = "https://graph.example?" },
	} {
		conf := c.config()
		spoil(&conf)
		_, err := graph.New(conf)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), secret) {
			t.Errorf("error %v, want one about %q", err, want)
		}
	}
	for name, cloud := range graph.Clouds {
		conf := c.config()
		conf.Cloud, conf.Custom = cloud, false
		if _, err := graph.New(conf); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
