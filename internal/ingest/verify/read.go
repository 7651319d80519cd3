package verify

import (
	"net/http"
	"strings"
	"time"
)

// claims are what the headers claim, before anything is verified.
type claims struct {
	id, stamp  string
	time       time.Time
	signatures [][]byte
}

// read parses the headers. With a refusal the claims are incomplete.
func (v *Verifier) read(h http.Header) (c claims, refusal Reason) {
	header, refusal := single(h, v.scheme.Header)
	if refusal != "" {
		return c, refusal
	}
	if len(header) > MaxHeader {
		return c, BadHeader
	}
	if c.signatures, c.stamp, refusal = v.entries(header); refusal != "" {
		return c, refusal
	}
	if v.id {
		if c.id, refusal = single(h, v.scheme.IDHeader); refusal != "" {
			return c, refusal
		}
		if !isID(c.id) || v.ambiguous("id", c.id) {
			return c, BadHeader
		}
	}
	return c, v.readTime(h, &c)
}

func (v *Verifier) readTime(h http.Header, c *claims) (refusal Reason) {
	if !v.stamp {
		return ""
	}
	if v.scheme.TimestampHeader != "" {
		if c.stamp, refusal = single(h, v.scheme.TimestampHeader); refusal != "" {
			return refusal
		}
	}
	t, ok := timestamps[v.scheme.TimestampFormat](c.stamp)
	if !ok || v.ambiguous("timestamp", c.stamp) {
		return BadTimestamp
	}
	c.time = t
	return ""
}

// entries splits the signature's header. Entries with another prefix are other
// versions of the scheme and are skipped; one that does not decode fits nothing.
func (v *Verifier) entries(header string) (signatures [][]byte, stamp string, refusal Reason) {
	list := []string{header}
	if v.scheme.Delimiter != "" {
		if strings.Count(header, v.scheme.Delimiter) >= MaxSignatures {
			return nil, "", BadHeader
		}
		list = strings.Split(header, v.scheme.Delimiter)
	}
	for _, entry := range list {
		if t, ok := strings.CutPrefix(entry, v.scheme.TimestampPrefix); ok && v.scheme.TimestampPrefix != "" {
			if stamp != "" {
				return nil, "", RepeatedHeader
			}
			stamp = t
			continue
		}
		if text, ok := strings.CutPrefix(entry, v.scheme.Prefix); ok {
			if sig, err := v.decode(text); err == nil {
				signatures = append(signatures, sig)
			}
		}
	}
	return signatures, stamp, ""
}

// single returns the value of a header that must be there exactly once.
func single(h http.Header, name string) (string, Reason) {
	values := h.Values(name)
	switch {
	case len(values) > 1:
		return "", RepeatedHeader
	case len(values) == 0 || values[0] == "":
		return "", MissingHeader
	}
	return values[0], ""
}

// ambiguous reports whether a value holds the start of the literal that ends
// its place in the signed text.
func (v *Verifier) ambiguous(place, value string) bool {
	for i, p := range v.pieces {
		if end := v.terminator(i); p.place == place && end != "" {
			return strings.Contains(value, end[:1])
		}
	}
	return false
}

// isID accepts visible ASCII.
func isID(s string) bool {
	if len(s) > MaxID {
		return false
	}
	for i := range len(s) {
		if s[i] <= ' ' || s[i] >= 0x7f {
			return false
		}
	}
	return true
}
