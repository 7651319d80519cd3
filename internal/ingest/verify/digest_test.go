package verify

import (
	"net/http"
	"strings"
	"testing"
)

const (
	helloSHA256 = "sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:"
	helloSHA512 = "sha-512=:WZDPaVn/7XgHaAy8pmojAkGWoRx2UFChF41A2svX+TaPm+AbwAgBWnrIiYllu7BNNyealdVLvRwEmTHWXvJwew==:"
)

func TestDigestVectors(t *testing.T) {
	for _, v := range sealedVectors(t, "content-digest") {
		t.Run(v.ID, func(t *testing.T) {
			h, body := v.header(), v.body(t)
			if refusal := contentDigest(h, body); v.Valid != (refusal == "") {
				t.Fatalf("valid is %v, but the refusal is %q", v.Valid, refusal)
			}
			if !v.Valid {
				return
			}
			eachBit(body, func(flipped []byte) {
				if contentDigest(h, flipped) == "" {
					t.Errorf("accepted the body %q", flipped)
				}
			})
			eachBit([]byte(h.Get("Content-Digest")), func(flipped []byte) {
				if contentDigest(http.Header{"Content-Digest": {string(flipped)}}, body) == "" {
					t.Errorf("accepted the digest %q", flipped)
				}
			})
		})
	}
}

func TestDigestReasons(t *testing.T) {
	for name, c := range map[string]struct {
		values []string
		want   Reason
	}{
		"both":                       {[]string{helloSHA256 + ", " + helloSHA512}, ""},
		"no space after the comma":   {[]string{helloSHA256 + "," + helloSHA512}, ""},
		"beside an unknown one":      {[]string{"id-sha-256=:AAAA:, " + helloSHA256}, ""},
		"none":                       {nil, MissingHeader},
		"empty":                      {[]string{""}, MissingHeader},
		"two lines":                  {[]string{helloSHA256, helloSHA512}, RepeatedHeader},
		"only space":                 {[]string{" "}, BadDigest},
		"only an unknown one":        {[]string{"unixsum=:AAAA:"}, BadDigest},
		"twice the same key":         {[]string{"sha-256=:AAAA:, " + helloSHA256}, BadHeader},
		"unused bits set":            {[]string{strings.Replace(helloSHA256, "PE=:", "PF=:", 1)}, BadHeader},
		"no padding":                 {[]string{strings.Replace(helloSHA256, "=:", ":", 1)}, BadHeader},
		"text, not bytes":            {[]string{`sha-256="X48E"`}, BadHeader},
		"a parameter":                {[]string{helloSHA256 + ";x"}, BadHeader},
		"a list":                     {[]string{"sha-256=(:AAAA:)"}, BadHeader},
		"a digest cut short":         {[]string{"sha-256=:X48E:"}, BadDigest},
		"no bytes":                   {[]string{"sha-256=::"}, BadDigest},
		"as before RFC 9530":         {[]string{"SHA-256=X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE="}, BadHeader},
		"4 kB and more":              {[]string{helloSHA256 + ", x=:" + strings.Repeat("AAAA", 1024) + ":"}, BadHeader},
		"a trailing comma":           {[]string{helloSHA256 + ","}, BadHeader},
		"a line break":               {[]string{helloSHA256 + "\n"}, BadHeader},
		"the digest of another body": {[]string{"sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:"}, BadDigest},
	} {
		if got := contentDigest(http.Header{"Content-Digest": c.values}, []byte(`{"hello": "world"}`)); got != c.want {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}

// FuzzContentDigest gives the parser a stranger's bytes. What it accepts holds
// a digest of the body, as the sender would write it.
func FuzzContentDigest(f *testing.F) {
	for _, v := range sealedVectors(f, "content-digest", "rfc9421") {
		f.Add(v.header().Get("Content-Digest"), v.body(f))
	}
	f.Fuzz(func(t *testing.T, value string, body []byte) {
		if contentDigest(http.Header{"Content-Digest": {value}}, body) != "" {
			return
		}
		for _, d := range digests {
			if sum := encodings["base64"](d.sum(body)); strings.Contains(value, d.name+"=:"+sum+":") {
				return
			}
		}
		t.Errorf("accepted %q for %q", value, body)
	})
}
