package verify

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

// A signer makes signature bases by hand, and not with the code under test.
type signer struct {
	id, alg string
	sign    func(base string) []byte
}

var shared = hmacSigner("snow", "a key of the sender, and ours")

func hmacSigner(id, secret string) signer {
	return signer{id, "hmac-sha256", func(base string) []byte { return hmacSum(secret, base) }}
}

func (s signer) key(secret string) HTTPKey {
	return HTTPKey{Key{ID: s.id, Secret: secret}, s.alg}
}

// usual are the lines of a base that covers the default components of hello.
var usual = []string{
	`"@method": POST`, `"@authority": relay.example`, `"@path": /v1/hooks/snow`, `"@query": ?`,
	`"content-type": application/json`, `"content-digest": ` + helloSHA256,
}

// created is at 'at', the clock of these tests.
const created = `;created=1618884473;keyid="snow"`

var at = time.Unix(1618884473, 0)

// hello is the request of these tests, not signed yet.
func hello() *Request {
	return &Request{Method: "POST", Authority: "relay.example", Path: "/v1/hooks/snow", Body: []byte(`{"hello": "world"}`),
		Header: http.Header{"Content-Type": {"application/json"}, "Content-Digest": {helloSHA256}}}
}

// seal adds a signature with a label, over lines of the base.
func (s signer) seal(r *Request, label string, lines []string, params string) {
	var ids []string
	base := ""
	for _, l := range lines {
		id, _, _ := strings.Cut(l, ": ")
		ids = append(ids, id)
		base += l + "\n"
	}
	list := "(" + strings.Join(ids, " ") + ")" + params
	signature := base64.StdEncoding.EncodeToString(s.sign(base + `"@signature-params": ` + list))
	for name, member := range map[string]string{"Signature-Input": label + "=" + list, "Signature": label + "=:" + signature + ":"} {
		if before := r.Header.Get(name); before != "" {
			member = before + ", " + member
		}
		r.Header.Set(name, member)
	}
}

func sealed(lines []string, params string) *Request {
	r := hello()
	shared.seal(r, "sig", lines, params)
	return r
}

// with is hello, changed before it is signed with the default components.
func with(change func(*Request)) *Request {
	r := hello()
	change(r)
	shared.seal(r, "sig", usual, created)
	return r
}

// after is hello, changed after it was signed.
func after(change func(h http.Header)) *Request {
	r := sealed(usual, created)
	change(r.Header)
	return r
}

func sharedCheck(t testing.TB, components []string) check {
	t.Helper()
	secret := base64.StdEncoding.EncodeToString([]byte("a key of the sender, and ours"))
	return httpCheck(t, HTTPSignature{Keys: []HTTPKey{shared.key(secret)}, Components: components})
}

func TestHTTPSignatureReasons(t *testing.T) {
	other := hmacSigner("snow", "another key")
	for name, c := range map[string]struct {
		r    *Request
		want Reason
	}{
		"as it should be":         {sealed(usual, created), ""},
		"another order":           {sealed([]string{usual[5], usual[4], usual[3], usual[2], usual[1], usual[0]}, created), ""},
		"with everything else":    {sealed(usual, `;nonce="n";alg="hmac-sha256";tag="t";expires=1618884473`+created), ""},
		"300 s old":               {sealed(usual, `;created=1618884173;keyid="snow"`), ""},
		"301 s old":               {sealed(usual, `;created=1618884172;keyid="snow"`), OutsideTolerance},
		"301 s ahead":             {sealed(usual, `;created=1618884774;keyid="snow"`), OutsideTolerance},
		"created long ago":        {sealed(usual, `;created=-999999999999999;keyid="snow"`), OutsideTolerance},
		"expired":                 {sealed(usual, `;expires=1618884472`+created), OutsideTolerance},
		"expires before created":  {sealed(usual, `;expires=0`+created), OutsideTolerance},
		"no created":              {sealed(usual, `;keyid="snow"`), LacksComponent},
		"created as text":         {sealed(usual, `;created="1618884473";keyid="snow"`), BadHeader},
		"created as a decimal":    {sealed(usual, `;created=1618884473.0;keyid="snow"`), BadHeader},
		"created as a date":       {sealed(usual, `;created=@1618884473;keyid="snow"`), BadHeader},
		"expires as text":         {sealed(usual, `;expires="never"`+created), BadHeader},
		"an unknown parameter":    {sealed(usual, `;grace=60`+created), BadHeader},
		"a parameter twice":       {sealed(usual, `;created=1`+created), BadHeader},
		"another algorithm":       {sealed(usual, `;alg="ed25519"`+created), BadSignature},
		"an empty algorithm":      {sealed(usual, `;alg=""`+created), BadSignature},
		"no keyid":                {sealed(usual, `;created=1618884473`), BadSignature},
		"keyid of nobody":         {sealed(usual, `;created=1618884473;keyid="halo"`), BadSignature},
		"keyid as a token":        {sealed(usual, `;created=1618884473;keyid=snow`), BadSignature},
		"another key":             {func() *Request { r := hello(); other.seal(r, "sig", usual, created); return r }(), BadSignature},
		"nothing covered":         {sealed(nil, created), LacksComponent},
		"without the query":       {sealed(slices.Concat(usual[:3], usual[4:]), created), LacksComponent},
		"without the digest":      {sealed(usual[:5], created), LacksComponent},
		"a part of the digest":    {sealed(append(usual[:5:5], `"content-digest";key="sha-256": `+helloSHA256[len("sha-256="):]), created), LacksComponent},
		"a component twice":       {sealed(append(usual[:6:6], usual[0]), created), BadHeader},
		"with the scheme":         {sealed(append(usual[:6:6], `"@scheme": https`), created), BadHeader},
		"with the target":         {sealed(append(usual[:6:6], `"@target-uri": https://relay.example/v1/hooks/snow`), created), BadHeader},
		"with the request target": {sealed(append(usual[:6:6], `"@request-target": /v1/hooks/snow`), created), BadHeader},
		"with a status":           {sealed(append(usual[:6:6], `"@status": 200`), created), BadHeader},
		"with its own parameters": {sealed(append(usual[:6:6], `"@signature-params": ()`), created), BadHeader},
		"a name in capitals":      {sealed(append(usual[:6:6], `"Content-Type": application/json`), created), BadHeader},
		"a name as a token":       {sealed(append(usual[:6:6], `date: now`), created), BadHeader},
		"of the request":          {sealed(append(usual[:6:6], `"@method";req: POST`), created), BadHeader},
		"a header's of a request": {sealed(append(usual[:6:6], `"content-type";req: application/json`), created), BadHeader},
		"a trailer":               {sealed(append(usual[:6:6], `"content-type";tr: application/json`), created), BadHeader},
		"an unknown flag":         {sealed(append(usual[:6:6], `"content-type";x: application/json`), created), BadHeader},
		"two flags":               {sealed(append(usual[:6:6], `"content-type";bs;sf: :YXBwbGljYXRpb24vanNvbg==:`), created), BadHeader},
		"a header that is absent": {sealed(append(usual[:6:6], `"date": now`), created), MissingHeader},
		"a header that came once": {with(func(r *Request) { r.Header.Add("Content-Type", "text/plain") }), RepeatedHeader},
		"a header with UTF-8":     {sealed(append(usual[:6:6], `"x-name": Zoë`), created), MissingHeader},
		"a digest of less":        {with(func(r *Request) { r.Body = r.Body[1:] }), BadDigest},
		"another body":            {with(func(r *Request) { r.Body = []byte("{}") }), BadDigest},
		"spaces around":           {with(func(r *Request) { r.Header.Set("Content-Type", " application/json\t") }), ""},
		"authority in capitals":   {with(func(r *Request) { r.Authority = "RELAY.example:443" }), ""},
		"authority with a port":   {with(func(r *Request) { r.Authority = "relay.example:8443" }), BadSignature},
		"authority, Kelvin":       {with(func(r *Request) { r.Authority = "relay.example\u212a" }), BadHeader},
		"another method":          {with(func(r *Request) { r.Method = "PUT" }), BadSignature},
		"another query":           {with(func(r *Request) { r.Query = "a=b" }), BadSignature},
		"a line in the path":      {with(func(r *Request) { r.Path = "/v1/hooks/snow\n\"@query\": ?" }), BadHeader},
		"no input":                {after(func(h http.Header) { h.Del("Signature-Input") }), MissingHeader},
		"no signature":            {after(func(h http.Header) { h.Del("Signature") }), MissingHeader},
		"an empty signature":      {after(func(h http.Header) { h.Set("Signature", "") }), MissingHeader},
		"two inputs":              {after(func(h http.Header) { h.Add("Signature-Input", h.Get("Signature-Input")) }), RepeatedHeader},
		"two signatures":          {after(func(h http.Header) { h.Add("Signature", h.Get("Signature")) }), RepeatedHeader},
		"no label of it":          {after(func(h http.Header) { h.Set("Signature", "x"+h.Get("Signature")) }), MissingHeader},
		"its label twice":         {after(func(h http.Header) { h.Set("Signature", "sig=:AAAA:, "+h.Get("Signature")) }), BadHeader},
		"signature with params":   {after(func(h http.Header) { h.Set("Signature", h.Get("Signature")+";x") }), BadHeader},
		"signature as text":       {after(func(h http.Header) { h.Set("Signature", `sig="AAAA"`) }), BadHeader},
		"signature cut short":     {after(func(h http.Header) { h.Set("Signature", "sig=:AAAA:") }), BadSignature},
		"4 kB and more":           {after(func(h http.Header) { h.Set("Signature", h.Get("Signature")+strings.Repeat(" ", 4096)) }), BadHeader},
		"9 labels":                {after(func(h http.Header) { h.Set("Signature", strings.Join(nine(), ",")+","+h.Get("Signature")) }), BadHeader},
		"an input that is a list": {after(func(h http.Header) { h.Set("Signature-Input", "sig") }), BadSignature},
		"garbage":                 {after(func(h http.Header) { h.Set("Signature-Input", "sig=(") }), BadHeader},
	} {
		t.Run(name, func(t *testing.T) {
			d, refusal := sharedCheck(t, nil).verify(c.r, at)
			if refusal != c.want {
				t.Fatalf("got %q, want %q", refusal, c.want)
			}
			if refusal == "" && (!d.SignsBody || !d.Timestamp.Equal(time.Unix(d.Timestamp.Unix(), 0)) || d.Uses[0] != Use{"http_signature", "snow"}) {
				t.Errorf("got %+v", d)
			}
		})
	}
}

func nine() (labels []string) {
	for c := 'a'; c < 'a'+9; c++ {
		labels = append(labels, string(c)+"=:AAAA:")
	}
	return labels
}

// What is covered is what may be trusted, and the proof is of the whole base.
func TestHTTPSignatureDelivery(t *testing.T) {
	r := hello()
	r.Header.Set("Ce-Id", "4711")
	lines := append(usual[:6:6], `"ce-id": 4711`, `"host": relay.example`)
	shared.seal(r, "sig", lines, created)
	d, refusal := sharedCheck(t, nil).verify(r, at)
	if refusal != "" {
		t.Fatal(refusal)
	}
	if want := []string{"Ce-Id", "Content-Digest", "Content-Type", "Host"}; !slices.Equal(d.Signed, want) {
		t.Errorf("signed %v, want %v", d.Signed, want)
	}
	if !d.Covers("ce-id") || d.Covers("ce-type") || d.ID != "" || !d.Timestamp.Equal(at) {
		t.Errorf("got %+v", d)
	}
	base := strings.Join(lines, "\n") + "\n" + `"@signature-params": ` + strings.TrimPrefix(r.Header.Get("Signature-Input"), "sig=")
	if sum := sha256.Sum256([]byte(base)); !bytes.Equal(d.Proof, sum[:]) {
		t.Errorf("the proof is not of %s", base)
	}
}

// Components with parameters, and the one of a query.
func TestHTTPSignatureComponents(t *testing.T) {
	const query = "a=1&b=two+words&c=&c&d=%zz&fa%C3%A7ade%22%3A%20=some*-._~thing&&=empty"
	for line, want := range map[string]Reason{
		`"@query": ?` + query:                                          "",
		`"@query-param";name="a": 1`:                                   "",
		`"@query-param";name="a": 2`:                                   BadSignature,
		`"@query-param";name="b": two%20words`:                         "",
		`"@query-param";name="c": `:                                    BadHeader, // twice
		`"@query-param";name="d": `:                                    BadHeader,
		`"@query-param";name="e": `:                                    BadHeader, // absent
		`"@query-param";name="": empty`:                                "",
		`"@query-param";name="fa%C3%A7ade%22%3A%20": some*-._%7Ething`: "",
		`"@query-param": 1`:                                            BadHeader,
		`"@query-param";name=a: 1`:                                     BadHeader,
		`"@path";name="a": /v1/hooks/snow`:                             BadHeader,
		`"content-type";bs: :YXBwbGljYXRpb24vanNvbg==:`:                "",
		`"content-type";bs=?0: :YXBwbGljYXRpb24vanNvbg==:`:             BadHeader,
		`"content-type";sf: application/json`:                          BadHeader,
		`"content-digest";sf: ` + helloSHA256:                          "",
		`"content-digest";key="sha-256": ` + helloSHA256[8:]:           "",
		`"content-digest";key="sha-512": ` + helloSHA256[8:]:           BadHeader,
		`"content-digest";key=sha-256: ` + helloSHA256[8:]:             BadHeader,
		`"content-type";key="a": b`:                                    BadHeader,
		`"priority";sf: i, u=1, x=(1 2);y`:                             BadHeader,
		`"priority";key="i": ?1`:                                       "",
		`"priority";key="u": 1`:                                        "",
		`"priority";key="x": (1 2);y`:                                  "",
		`"x-empty": `:                                                  "",
		`"x-utf8": Zoë`:                                                BadHeader,
		`"x-utf8";bs: :Wm/Dqw==:`:                                      "",
		`"x-line": a`:                                                  BadHeader,
	} {
		r := hello()
		r.Query = query
		r.Header.Set("Priority", "i, u=1,x=(1  2);y")
		r.Header.Set("X-Empty", "")
		r.Header.Set("X-UTF8", "Zoë")
		r.Header.Set("X-Line", "a\n\"x\": b")
		shared.seal(r, "sig", []string{line}, created)
		if _, got := sharedCheck(t, []string{}).verify(r, at); got != want {
			t.Errorf("%s: got %q, want %q", line, got, want)
		}
	}
}

// No more is looked up than a sender of good faith would sign.
func TestHTTPSignatureBound(t *testing.T) {
	for n, want := range map[int]Reason{maxComponents: "", maxComponents + 1: BadHeader} {
		r := hello()
		var lines []string
		for i := range n {
			name := fmt.Sprintf("x-%d", i)
			r.Header.Set(name, "v")
			lines = append(lines, fmt.Sprintf("%q: v", name))
		}
		shared.seal(r, "sig", lines, created)
		if _, got := sharedCheck(t, []string{}).verify(r, at); got != want {
			t.Errorf("%d components: got %q, want %q", n, got, want)
		}
	}
}

// Of several labels the first that is ours and good enough counts.
func TestHTTPSignatureLabels(t *testing.T) {
	foreign := hmacSigner("halo", "not ours")
	wrong := hmacSigner("snow", "not ours")
	type one struct {
		signer
		lines  []string
		params string
	}
	ours, theirs := one{shared, usual, created}, one{foreign, usual, `;x;created=1;keyid="halo"`}
	forged, little, old := one{wrong, usual, created}, one{shared, usual[:2], created}, one{shared, usual, `;created=1;keyid="snow"`}
	for name, c := range map[string]struct {
		labels []one
		want   Reason
	}{
		"theirs, ours":        {[]one{theirs, ours}, ""},
		"ours, theirs":        {[]one{ours, theirs}, ""},
		"forged, ours":        {[]one{forged, ours}, ""},
		"little, ours":        {[]one{little, ours}, ""},
		"old, forged, ours":   {[]one{old, forged, ours}, ""},
		"theirs only":         {[]one{theirs, theirs}, BadSignature},
		"forged, then old":    {[]one{forged, old}, OutsideTolerance},
		"old, then little":    {[]one{old, little}, OutsideTolerance},
		"little, then old":    {[]one{little, old}, LacksComponent},
		"little, then forged": {[]one{little, forged}, LacksComponent},
	} {
		r := hello()
		for i, l := range c.labels {
			l.seal(r, string(rune('a'+i)), l.lines, l.params)
		}
		if _, got := sharedCheck(t, nil).verify(r, at); got != c.want {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}

func TestHTTPSignatureRotation(t *testing.T) {
	secret := base64.StdEncoding.EncodeToString([]byte("a key of the sender, and ours"))
	for name, c := range map[string]struct {
		from, to time.Time
		want     Reason
	}{
		"not yet":     {at.Add(time.Second), time.Time{}, InactiveKey},
		"just now":    {at, at, ""},
		"not anymore": {time.Time{}, at.Add(-time.Second), InactiveKey},
	} {
		k := shared.key(secret)
		k.NotBefore, k.NotAfter = c.from, c.to
		check := httpCheck(t, HTTPSignature{Keys: []HTTPKey{k}})
		d, got := check.verify(sealed(usual, created), at)
		if got != c.want || (d.Expired != nil) != (name == "not anymore") {
			t.Errorf("%s: got %q, want %q; expired %v", name, got, c.want, d.Expired)
		}
		other := sealed(usual, created)
		other.Body = []byte(`{"hello": "you"}`)
		if d, got := check.verify(other, at); got == "" || d.Expired != nil {
			t.Errorf("%s: another body: got %q, expired %v", name, got, d.Expired)
		}
		if d, got := check.verify(sealed(usual, created), at.Add(time.Hour)); got == "" || d.Expired != nil {
			t.Errorf("%s: an old request: got %q, expired %v", name, got, d.Expired)
		}
	}
}
