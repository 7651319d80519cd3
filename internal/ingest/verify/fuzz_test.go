package verify

import (
	"net/http"
	"testing"
)

// FuzzVerify gives the header parsers of every scheme a stranger's bytes. The
// secret is one that no vector has, so nothing may be accepted, and whatever
// was read stays within its bounds.
func FuzzVerify(f *testing.F) {
	var all []*Verifier
	for _, s := range schemes {
		s.SecretForm = "text"
		all = append(all, verifier(f, s, "a secret that nothing in the corpus is signed with"))
	}
	for _, c := range vectors(f) {
		s := c.scheme()
		h := c.header()
		f.Add(h.Get(s.Header), h.Get(s.IDHeader), h.Get(s.TimestampHeader), c.body(f), c.Now)
	}
	f.Fuzz(func(t *testing.T, signature, id, stamp string, body []byte, now int64) {
		for _, v := range all {
			h := http.Header{}
			h.Set(v.scheme.Header, signature)
			if v.id {
				h.Set(v.scheme.IDHeader, id)
			}
			if v.scheme.TimestampHeader != "" {
				h.Set(v.scheme.TimestampHeader, stamp)
			}
			if d, err := v.Verify(h, body, clock); err == nil {
				t.Fatalf("%s accepted %+v", v.scheme.Header, d)
			}
			c, refusal := v.read(h)
			if refusal != "" {
				continue
			}
			if len(c.signatures) > MaxSignatures || len(c.id) > MaxID || v.stamp && c.time.IsZero() {
				t.Fatalf("%s read %+v", v.scheme.Header, c)
			}
		}
	})
}
