package verify

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

// A sealedVector is one request of testdata/signatures.json whose scheme is not
// a parametric one.
type sealedVector struct {
	ID, Scheme string
	Secret     json.RawMessage
	Headers    map[string]json.RawMessage
	BodyBase64 string `json:"body_base64"`
	Valid      bool
	Now        int64
	Request    struct{ Method, Authority, Path, Query string }
	Components []string `json:"policy_required_components"`
	Tag        string   `json:"policy_tag"`
}

func sealedVectors(t testing.TB, schemes ...string) (list []sealedVector) {
	t.Helper()
	data, err := os.ReadFile("testdata/signatures.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &list); err != nil {
		t.Fatal(err)
	}
	list = slices.DeleteFunc(list, func(v sealedVector) bool { return !slices.Contains(schemes, v.Scheme) })
	if len(list) == 0 {
		t.Fatalf("no vectors of %v", schemes)
	}
	return list
}

func (v sealedVector) header() http.Header {
	h := http.Header{}
	for name, raw := range v.Headers {
		var value string
		if json.Unmarshal(raw, &value) == nil && name != "Host" {
			h.Set(name, value)
		}
	}
	return h
}

func (v sealedVector) body(t testing.TB) []byte {
	t.Helper()
	b, err := base64.StdEncoding.DecodeString(v.BodyBase64)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func (v sealedVector) request(t testing.TB) *Request {
	r := v.Request
	return &Request{Method: r.Method, Authority: r.Authority, Path: r.Path, Query: strings.TrimPrefix(r.Query, "?"),
		Header: v.header(), Body: v.body(t)}
}

// config is what an administrator would write for the vector's sender.
func (v sealedVector) config(t testing.TB) HTTPSignature {
	t.Helper()
	var s struct {
		Alg, KeyID string
		HMAC       string `json:"key_base64"`
		Raw        string `json:"public_key_base64"`
		PEM        string `json:"public_key_pem"`
	}
	if err := json.Unmarshal(v.Secret, &s); err != nil {
		t.Fatal(err)
	}
	return HTTPSignature{
		Keys:       []HTTPKey{{Key: Key{ID: s.KeyID, Secret: s.HMAC + s.Raw + s.PEM}, Algorithm: s.Alg}},
		Components: v.Components, Tag: v.Tag,
	}
}

func httpCheck(t testing.TB, s HTTPSignature) check {
	t.Helper()
	c, err := newHTTPSignature(s)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// eachBit calls try with each bit of b changed.
func eachBit(b []byte, try func(flipped []byte)) {
	for bit := range 8 * len(b) {
		flipped := slices.Clone(b)
		flipped[bit/8] ^= 1 << (bit % 8)
		try(flipped)
	}
}

func TestHTTPSignatureVectors(t *testing.T) {
	reasons := map[string]Reason{
		"rfc9421-full-ed-expired":           OutsideTolerance,
		"rfc9421-b25-insufficient-coverage": LacksComponent,
		"rfc9421-full-hmac-body-swapped":    BadDigest,
		"rfc9421-full-ed-digest-recomputed": BadSignature,
		"rfc9421-full-hmac-wrong-tag":       LacksComponent,
		"rfc9421-full-ed-wrong-tag":         LacksComponent,
		"rfc9421-full-hmac-other-path":      BadSignature,
	}
	for _, v := range sealedVectors(t, "rfc9421") {
		t.Run(v.ID, func(t *testing.T) {
			c := httpCheck(t, v.config(t))
			d, refusal := c.verify(v.request(t), time.Unix(v.Now, 0))
			switch {
			case v.Valid && (refusal != "" || !d.SignsTime || d.Timestamp.IsZero() || len(d.Proof) != 32 || len(d.Uses) != 1):
				t.Errorf("got %q, %+v; want it accepted", refusal, d)
			case v.Valid && d.SignsBody != (len(v.Components) > 0):
				t.Errorf("the body is signed: %v", d.SignsBody)
			case !v.Valid && (refusal == "" || refusal != reasons[v.ID] && reasons[v.ID] != ""):
				t.Errorf("got %q, want %q", refusal, reasons[v.ID])
			}
		})
	}
}

// Whatever single bit of a covered part, of the signature or of what it says of
// itself is changed in a valid request, it is refused. The letter case of the
// authority is the one bit that says nothing (RFC 9110, section 4.2.3).
func TestHTTPSignatureEveryBit(t *testing.T) {
	for _, v := range sealedVectors(t, "rfc9421") {
		if !v.Valid {
			continue
		}
		t.Run(v.ID, func(t *testing.T) {
			c, now := httpCheck(t, v.config(t)), time.Unix(v.Now, 0)
			refused := func(change func(r *Request, text string)) func([]byte) {
				return func(flipped []byte) {
					r := v.request(t)
					change(r, string(flipped))
					if _, refusal := c.verify(r, now); refusal == "" {
						t.Errorf("accepted with %q", flipped)
					}
				}
			}
			r := v.request(t)
			covers := func(name string) bool { return strings.Contains(r.Header.Get("Signature-Input"), `"`+name+`"`) }
			names := []string{"signature-input", "signature"}
			for name := range r.Header {
				if covers(strings.ToLower(name)) {
					names = append(names, name)
				}
			}
			for _, name := range names {
				eachBit([]byte(r.Header.Get(name)), refused(func(r *Request, text string) { r.Header.Set(name, text) }))
			}
			if covers("@method") {
				eachBit([]byte(r.Method), refused(func(r *Request, text string) { r.Method = text }))
			}
			if covers("@path") {
				eachBit([]byte(r.Path), refused(func(r *Request, text string) { r.Path = text }))
			}
			if covers("@query") {
				eachBit([]byte(r.Query), refused(func(r *Request, text string) { r.Query = text }))
			}
			if covers("@query-param") {
				rest, pet, _ := strings.Cut(r.Query, "Pet=")
				eachBit([]byte("Pet="+pet), refused(func(r *Request, text string) { r.Query = rest + text }))
			}
			if covers("@authority") {
				eachBit([]byte(r.Authority), func(flipped []byte) {
					if !strings.EqualFold(string(flipped), r.Authority) {
						refused(func(r *Request, text string) { r.Authority = text })(flipped)
					}
				})
			}
			if covers("content-digest") {
				eachBit(r.Body, refused(func(r *Request, text string) { r.Body = []byte(text) }))
			}
		})
	}
}

// FuzzHTTPSignature gives the parsers a stranger's bytes. The key is one that
// nothing in the corpus is signed with.
func FuzzHTTPSignature(f *testing.F) {
	var keys []HTTPKey
	for _, id := range []string{"test-shared-secret", "test-key-ed25519", "test-key-rsa-pss"} {
		secret := base64.StdEncoding.EncodeToString([]byte("a key that signs nothing here: " + id))
		keys = append(keys, HTTPKey{Key{ID: id, Secret: secret}, "hmac-sha256"})
	}
	c := httpCheck(f, HTTPSignature{Keys: keys, Components: []string{}})
	for _, v := range sealedVectors(f, "rfc9421") {
		r := v.request(f)
		f.Add(r.Header.Get("Signature-Input"), r.Header.Get("Signature"), r.Header.Get("Content-Digest"), r.Query)
	}
	f.Add(`a=("content-digest";sf "content-digest";key="sha-256" "date";bs);created=1;keyid="test-key-ed25519"`, "a=:AAAA:", helloSHA256, "a=b")
	f.Fuzz(func(t *testing.T, input, signature, digest, query string) {
		h := http.Header{"Signature-Input": {input}, "Signature": {signature}, "Content-Digest": {digest}, "Date": {"now"}}
		r := &Request{Method: "POST", Authority: "example.com", Path: "/foo", Query: query, Header: h}
		if d, refusal := c.verify(r, time.Unix(1618884473, 0)); refusal == "" {
			t.Fatalf("accepted %+v", d)
		} else if !slices.Contains(Reasons, refusal) {
			t.Fatalf("%q is no reason", refusal)
		}
	})
}
