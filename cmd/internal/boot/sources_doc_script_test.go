package boot_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/dop251/goja"

	"changerelay/internal/ingest"
	"changerelay/internal/ingest/verify"
)

// glide is what the manual's business rules use of ServiceNow. A method that is
// not here is an error of the script. Bodies have their ${...} replaced on the
// way, unless the script has that turned off.
const glide = `
var gs = { getProperty: property, error: complain };
function GlideCertificateEncryption() { this.generateMac = mac; }
var sn_ws = { RESTMessageV2: function () {
  var q = { head: [], body: "" }, substitutes = true;
  this.disableForcedVariableSubstitution = function () { substitutes = false; };
  this.setEndpoint = function (url) { q.url = url; };
  this.setHttpMethod = function (method) { q.method = method; };
  this.setHttpTimeout = function (milliseconds) { if (!(milliseconds >= 15000)) throw "it hangs up before the relay answers"; };
  this.setRequestHeader = function (name, value) { q.head.push([name, value]); };
  this.setRequestBody = function (body) { q.body = body; };
  this.execute = function () {
    if (substitutes) q.body = q.body.replace(/\$\{[^}]*\}/g, "");
    var code = send(q.method, q.url, q.head, q.body);
    return { getStatusCode: function () { return code; }, getBody: function () { return "{}"; } };
  };
} };
var current = { getValue: column, variables: variables };
`

// An instance is a ServiceNow that runs one script, once.
type instance struct {
	t        *testing.T
	source   ingest.Source
	columns  map[string]string
	property string // of the key
	report   ingest.Report
	sent     int
	errors   []string
}

// newInstance has an approved change, which is a requested item if the script
// reads catalog variables.
func newInstance(t *testing.T, s ingest.Source, script string) *instance {
	n := &instance{t: t, source: s, columns: map[string]string{
		"sys_id": "4e1c8a2bdb7f1910a3c5f0e1ca9619d4", "number": "CHG0031877", "approval": "approved",
		"sys_updated_on": "2026-11-23 10:22:51", "sys_mod_count": "9", "short_description": "Remove ${vpn}",
		"u_intune_device_id": sampleDevice, "u_intune_app_id": sampleItem, "u_assignment_action": "remove",
	}, property: base64.StdEncoding.EncodeToString([]byte(good(t, s.Checks.Signature.Keys)))}
	if strings.Contains(script, "current.variables") {
		n.columns["number"] = "RITM0010588"
	}
	return n
}

func (n *instance) run(script string) {
	n.t.Helper()
	vm := goja.New()
	vm.SetTimeSource(func() time.Time { return arrived })
	for name, value := range map[string]any{
		"property": n.getProperty, "complain": func(text string) { n.errors = append(n.errors, text) },
		"mac": n.mac, "send": n.send, "column": n.getValue, "variables": map[string]string{
			"intune_device_id": n.columns["u_intune_device_id"], "intune_app_id": sampleItem, "assignment_action": "remove",
		},
	} {
		if err := vm.Set(name, value); err != nil {
			n.t.Fatal(err)
		}
	}
	for _, text := range []string{glide, "var previous = null;\n" + script} {
		if _, err := vm.RunString(text); err != nil {
			n.t.Fatal(err)
		}
	}
}

func (n *instance) getProperty(name string) any {
	if name != "changerelay.key" {
		return nil
	}
	return n.property
}

// getValue is null for a column that is empty, as GlideRecord's.
func (n *instance) getValue(name string) any {
	if value, there := n.columns[name]; there {
		return value
	}
	return nil
}

// mac is generateMac: the key is base64, and so is the MAC.
func (n *instance) mac(key, algorithm, text string) string {
	b, err := base64.StdEncoding.DecodeString(key)
	if err != nil || algorithm != "HmacSHA256" {
		n.t.Errorf("generateMac with the algorithm %s: %v", algorithm, err)
	}
	m := hmac.New(sha256.New, b)
	m.Write([]byte(text))
	return base64.StdEncoding.EncodeToString(m.Sum(nil))
}

// send has the relay examine the request that the script sends.
func (n *instance) send(method, url string, head [][]string, body string) int {
	n.sent++
	path, ok := strings.CutPrefix(url, "https://relay.example")
	if !ok || path != "/v1/hooks/"+n.source.Name {
		n.t.Errorf("the script sends to %s", url)
	}
	q := verify.Request{Method: strings.ToUpper(method), Authority: "relay.example", Path: path, Header: http.Header{}, Body: []byte(body)}
	for _, h := range head {
		q.Header.Add(h[0], h[1])
	}
	n.report = examine(n.t, n.source, q)
	return n.report.Code
}

// modern finds what the JavaScript of older instances does not know.
var modern = regexp.MustCompile("=>|\\b(let|const|class)\\b|`")

// runScript runs a script in three instances: as it should be, with ${...} in a
// column that it sends, and with another key. It must send once, and complain
// of what is not taken.
func (d *desk) runScript(t *testing.T, s ingest.Source, script string) ingest.Report {
	t.Helper()
	if word := modern.FindString(script); word != "" {
		t.Errorf("the script uses %s, which is not ECMAScript 5", word)
	}
	for name, c := range map[string]struct {
		spoil func(*instance)
		code  int
	}{
		"dollar and brace": {func(n *instance) { n.columns["u_intune_device_id"] = "${device}" }, 422},
		"another key":      {func(n *instance) { n.property = "YW5vdGhlciBrZXk=" }, 401},
	} {
		n := newInstance(t, s, script)
		c.spoil(n)
		n.run(script)
		if n.report.Code != c.code || n.sent != 1 || len(n.errors) != 1 {
			t.Errorf("%s: %d requests, the answer %d, and the errors %q; want one, %d and one", name, n.sent, n.report.Code, n.errors, c.code)
		}
	}
	n := newInstance(t, s, script)
	n.run(script)
	if n.sent != 1 || len(n.errors) != 0 {
		t.Errorf("%d requests, and the errors %q", n.sent, n.errors)
	}
	return n.report
}
