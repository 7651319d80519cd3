package verify

import (
	"strings"
	"testing"
)

// Whatever single bit is changed in a signed part of a valid request, it is
// refused. The case of a hexadecimal digit is the one bit that says nothing.
func TestEveryBitCounts(t *testing.T) {
	for _, c := range vectors(t) {
		if !c.Valid {
			continue
		}
		t.Run(c.ID, func(t *testing.T) {
			s := c.scheme()
			v, body := verifier(t, s, c.Secret...), c.body(t)
			for bit := range 8 * len(body) {
				if _, err := v.Verify(c.header(), flip(body, bit), c.now()); err == nil {
					t.Fatalf("accepted with bit %d of the body changed", bit)
				}
			}
			for _, name := range []string{s.Header, s.TimestampHeader, s.IDHeader} {
				if name == s.IDHeader && !strings.Contains(s.Signed, "{id}") {
					continue
				}
				value := c.header().Get(name)
				for bit := range 8 * len(value) {
					if name == s.Header && !matters(s, value, bit) {
						continue
					}
					h := c.header()
					h.Set(name, string(flip([]byte(value), bit)))
					if _, err := v.Verify(h, body, c.now()); err == nil {
						t.Fatalf("accepted with %s: %q", name, h.Get(name))
					}
				}
			}
		})
	}
}

// matters reports whether the bit is in the timestamp or in the last signature,
// which in our vectors is the one that fits.
func matters(s Scheme, value string, bit int) bool {
	at := bit / 8
	if s.TimestampPrefix != "" && at < strings.Index(value, s.Delimiter) {
		return true
	}
	start := strings.LastIndex(value, s.Prefix)
	end := len(value)
	if n := strings.Index(value[start:], s.Delimiter); s.Delimiter != "" && n > 0 {
		end = start + n
	}
	digit := s.Encoding == "hex" && at >= start+len(s.Prefix)
	letterCase := bit%8 == 5 && strings.ContainsRune("abcdefABCDEF", rune(value[at]))
	return at >= start && at < end && !(digit && letterCase)
}

func flip(b []byte, bit int) []byte {
	b = append([]byte(nil), b...)
	b[bit/8] ^= 1 << (bit % 8)
	return b
}
