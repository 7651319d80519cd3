package verify

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"
)

var (
	clock  = time.Unix(1_790_000_000, 0)
	secret = "whsec_" + base64.StdEncoding.EncodeToString([]byte("a key of twenty-four byt"))
)

// verifier is of one signature, with secrets that New might refuse.
func verifier(t testing.TB, s Scheme, secrets ...string) *Verifier {
	t.Helper()
	v, err := newSignature(s, keysOf(secrets...))
	if err != nil {
		t.Fatal(err)
	}
	return &Verifier{[]check{v}}
}

// request is a valid Standard Webhooks request for body.
func request(body string) http.Header {
	return signed("msg_1", strconv.FormatInt(clock.Unix(), 10), body)
}

func signed(id, stamp, body string) http.Header {
	mac := hmac.New(sha256.New, []byte("a key of twenty-four byt"))
	mac.Write([]byte(id + "." + stamp + "." + body))
	return http.Header{
		"Webhook-Id": {id}, "Webhook-Timestamp": {stamp},
		"Webhook-Signature": {"v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))},
	}
}

func TestReasons(t *testing.T) {
	good := request("{}")["Webhook-Signature"][0]
	stamp := func(s string) http.Header { return signed("msg_1", s, "{}") }
	later := func(d time.Duration) http.Header { return stamp(strconv.FormatInt(clock.Add(d).Unix(), 10)) }
	with := func(name string, values ...string) http.Header {
		h := request("{}")
		h[name] = values
		return h
	}
	for name, c := range map[string]struct {
		header http.Header
		want   Reason
	}{
		"as it should be":        {request("{}"), ""},
		"300 s old":              {later(-300 * time.Second), ""},
		"301 s old":              {later(-301 * time.Second), OutsideTolerance},
		"301 s ahead":            {later(301 * time.Second), OutsideTolerance},
		"no headers":             {nil, MissingHeader},
		"empty signature":        {with("Webhook-Signature", ""), MissingHeader},
		"two signature headers":  {with("Webhook-Signature", good, good), RepeatedHeader},
		"two ids":                {with("Webhook-Id", "msg_1", "msg_1"), RepeatedHeader},
		"two times":              {with("Webhook-Timestamp", "1", "1"), RepeatedHeader},
		"empty id":               {with("Webhook-Id", ""), MissingHeader},
		"id with the separator":  {signed("msg.1", "1790000000", "{}"), BadHeader},
		"id with a space":        {signed("msg 1", "1790000000", "{}"), BadHeader},
		"id of 257 bytes":        {signed(strings.Repeat("m", 257), "1790000000", "{}"), BadHeader},
		"time with a plus":       {stamp("+1790000000"), BadTimestamp},
		"time with a zero":       {stamp("01790000000"), BadTimestamp},
		"time in milliseconds":   {stamp("1790000000000"), BadTimestamp},
		"time with a space":      {stamp("1790000000 "), BadTimestamp},
		"time as text":           {stamp("2026-09-21T14:13:20Z"), BadTimestamp},
		"another key":            {with("Webhook-Signature", "v1,"+base64.StdEncoding.EncodeToString(make([]byte, 32))), BadSignature},
		"another version":        {with("Webhook-Signature", "v2"+good[2:]), BadSignature},
		"8 signatures":           {with("Webhook-Signature", strings.Repeat("v1,AAAA ", 7)+good), ""},
		"9 signatures":           {with("Webhook-Signature", strings.Repeat("v1,AAAA ", 8)+good), BadHeader},
		"4 kB and more":          {with("Webhook-Signature", good+strings.Repeat(" ", 4096)), BadHeader},
		"no padding":             {with("Webhook-Signature", strings.TrimRight(good, "=")), BadSignature},
		"a line break inside":    {with("Webhook-Signature", good[:10]+"\n"+good[10:]), BadSignature},
		"bits after the last":    {with("Webhook-Signature", lastDigitPlusOne(good)), BadSignature},
		"url alphabet":           {with("Webhook-Signature", "v1,"+strings.Repeat("-_", 21)+"A="), BadSignature},
		"prefix without a value": {with("Webhook-Signature", "v1,"), BadSignature},
	} {
		t.Run(name, func(t *testing.T) {
			d, err := verifier(t, StandardWebhooks(), secret).Verify(&Request{Header: c.header, Body: []byte("{}")}, clock)
			var r *Refusal
			switch {
			case c.want == "" && (err != nil || d.ID != "msg_1" || !d.SignsTime):
				t.Errorf("got %+v, %v; want it accepted", d, err)
			case c.want != "" && (!errors.As(err, &r) || r.Reason != c.want || d.ID != "" || d.Uses != nil):
				t.Errorf("got %+v, %v; want %s", d, err, c.want)
			}
		})
	}
}

// lastDigitPlusOne changes bits of the base64 text that stand for no byte.
func lastDigitPlusOne(s string) string {
	i := len(s) - 2
	return s[:i] + string(s[i]+1) + s[i+1:]
}

// CryptoJS' toString is hexadecimal, and scripts encode that text once more.
func TestBase64OfHex(t *testing.T) {
	s := ServiceNow()
	s.Encoding = "base64-of-hex"
	h := http.Header{"X-Hmac-Signature": {"ZTE1NTk0MjM4ZjI1MjZmOTg2NDg1ZThjNjI2Mzk1NTgwZjVjZDIxN2VlZTc5NTJiZmI3N2JlN2Q0MTQ1MTZiZQ=="}}
	d, err := verifier(t, s, "sample_key").Verify(&Request{Header: h, Body: []byte("sample_data")}, clock)
	if err != nil || d.SignsTime {
		t.Errorf("got %+v, %v; want it accepted, without a signed time", d, err)
	}
}

func TestTimestampFormats(t *testing.T) {
	for _, c := range []struct {
		format, text string
		ok           bool
	}{
		{"unix", "1790000000", true}, {"unix", "0", false}, {"unix", "-1", false}, {"unix", "1e9", false}, {"unix", "", false},
		{"unix", "１７９００００００００", false}, {"unix", "0x6ab", false}, {"unix", "1_790_000_000", false},
		{"unix-ms", "1790000000000", true}, {"unix-ms", "179000000000000", false},
		{"rfc3339", "2026-09-21T14:13:20Z", true}, {"rfc3339", "2026-09-21T14:13:20.123456789+02:00", true},
		{"rfc3339", "2026-09-21t14:13:20z", false}, {"rfc3339", "2026-09-21 14:13:20Z", false}, {"rfc3339", "2026-09-21T4:13:20Z", false},
		{"rfc3339", "2026-09-21T14:13:20", false}, {"rfc3339", "2026-09-21T14:13:20,5Z", false}, {"rfc3339", "2026-13-21T14:13:20Z", false},
	} {
		if _, ok := timestamps[c.format](c.text); ok != c.ok {
			t.Errorf("%s %q: got %v, want %v", c.format, c.text, ok, c.ok)
		}
	}
}

func BenchmarkVerify(b *testing.B) {
	v := verifier(b, StandardWebhooks(), secret)
	r := &Request{Header: request(strings.Repeat("a", 500)), Body: []byte(strings.Repeat("a", 500))}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := v.Verify(r, clock); err != nil {
			b.Fatal(err)
		}
	}
}
