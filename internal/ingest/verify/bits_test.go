package verify

import (
	"bytes"
	"slices"
	"strings"
	"testing"
)

// Whatever single bit is changed in a signed part of a valid request, or in a
// static secret, it is refused. matters lists the bits that say nothing.
func TestEveryBitCounts(t *testing.T) {
	for _, c := range vectors(t) {
		if !c.Valid {
			continue
		}
		t.Run(c.ID, func(t *testing.T) {
			k, err := c.check(t)
			if err != nil {
				t.Fatal(err)
			}
			tried := 0
			refused := func(r *Request, what string, bit int) {
				tried++
				if _, refusal := k.verify(r, c.now()); refusal == "" {
					t.Errorf("accepted with bit %d of %s changed: %v %s", bit, what, r.Header, r.Body)
				}
			}
			good := c.request(t)
			for bit := range 8 * len(good.Body) {
				if c.bodyMatters(good.Body, bit) {
					refused(&Request{Header: good.Header, Body: flip(good.Body, bit)}, "the body", bit)
				}
			}
			for _, name := range c.headersThatMatter() {
				value := good.Header.Get(name)
				for bit := range 8 * len(value) {
					if c.headerMatters(name, value, bit) {
						h := good.Header.Clone()
						h.Set(name, string(flip([]byte(value), bit)))
						refused(&Request{Header: h, Body: good.Body}, name, bit)
					}
				}
			}
			if tried < 64 {
				t.Errorf("only %d bits were tried", tried)
			}
		})
	}
}

// headersThatMatter are those that are signed, or hold what is compared.
func (v vector) headersThatMatter() []string {
	switch v.Scheme {
	case "basic", "bearer-static":
		return []string{"Authorization"}
	case "api-key-header":
		return []string{v.Config.Header}
	case "graph-clientstate", "aws-sns":
		return nil
	}
	s := v.scheme()
	names := []string{s.Header}
	if s.TimestampHeader != "" {
		names = append(names, s.TimestampHeader)
	}
	if strings.Contains(s.Signed, "{id}") {
		names = append(names, s.IDHeader)
	}
	return names
}

// bodyMatters: a signature covers every bit. Of an SNS message it covers what
// the signed fields say; where the certificate is said to be is only compared
// with Amazon's addresses, because nothing is fetched from there. A static
// secret covers nothing of a request, and in the body only itself.
func (v vector) bodyMatters(body []byte, bit int) bool {
	switch v.Scheme {
	case "basic", "bearer-static", "api-key-header":
		return false
	case "aws-sns":
		start, end := between(body, `"SigningCertURL": "`, `"`)
		return bit/8 < start || bit/8 >= end
	case "graph-clientstate":
		start, end := between(body, `"clientState":"`, `"`)
		return bit/8 >= start && bit/8 < end
	}
	return true
}

// between returns where the text after a mark starts and ends.
func between(body []byte, mark, end string) (int, int) {
	start := bytes.Index(body, []byte(mark)) + len(mark)
	return start, start + bytes.Index(body[start:], []byte(end))
}

// headerMatters: of a list, only the last signature fits in our vectors.
func (v vector) headerMatters(name, value string, bit int) bool {
	at, s := bit/8, v.scheme()
	if name != s.Header || slices.Contains([]string{"basic", "bearer-static", "api-key-header"}, v.Scheme) {
		return true
	}
	if s.TimestampPrefix != "" && at < strings.Index(value, s.Delimiter) {
		return true
	}
	if s.PrefixOnce && at < len(s.Prefix) {
		return true
	}
	start, text := lastSignature(s, value)
	end := len(value)
	if n := strings.Index(value[text:], s.Delimiter); s.Delimiter != "" && n > 0 {
		end = text + n
	}
	return at >= start && at < end
}

// lastSignature returns where the last entry that is one starts, and its text.
func lastSignature(s Scheme, value string) (start, text int) {
	switch {
	case s.PrefixOnce:
		start = strings.LastIndex(value, s.Delimiter) + 1
		return start, start
	case s.Prefix == "":
		return 0, 0
	}
	start = strings.LastIndex(value, s.Prefix)
	return start, start + len(s.Prefix)
}

func flip(b []byte, bit int) []byte {
	b = append([]byte(nil), b...)
	b[bit/8] ^= 1 << (bit % 8)
	return b
}
