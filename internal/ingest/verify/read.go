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
	head, body []byte // the signed text
}

// read parses the headers. With a refusal the claims are incomplete.
func (v *signature) read(h http.Header) (c claims, refusal Reason) {
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
	if refusal = v.readID(h, &c); refusal != "" {
		return c, refusal
	}
	return c, v.readTime(h, &c)
}

func (v *signature) readID(h http.Header, c *claims) (refusal Reason) {
	if !v.id {
		return ""
	}
	if c.id, refusal = single(h, v.scheme.IDHeader); refusal == MissingHeader && !v.signsID {
		return "" // it would prove nothing
	}
	if refusal == "" && (!isID(c.id) || v.ambiguous("id", c.id)) {
		return BadHeader
	}
	return refusal
}

func (v *signature) readTime(h http.Header, c *claims) (refusal Reason) {
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

// entries reads the signature's header. Entries with another prefix are other
// versions of the scheme and are skipped; one that does not decode fits nothing.
func (v *signature) entries(header string) (signatures [][]byte, stamp string, refusal Reason) {
	list, prefix, refusal := v.split(header)
	stamps := 0
	for _, entry := range list {
		if t, ok := strings.CutPrefix(entry, v.scheme.TimestampPrefix); ok && v.scheme.TimestampPrefix != "" {
			stamp, stamps = t, stamps+1
		} else if text, ok := strings.CutPrefix(entry, prefix); ok {
			if sig, err := v.decode(text); err == nil {
				signatures = append(signatures, sig)
			}
		}
	}
	if stamps > 1 {
		return nil, "", RepeatedHeader
	}
	return signatures, stamp, refusal
}

// split returns the entries of the signature's header, and the prefix that each
// signature must have.
func (v *signature) split(header string) (list []string, prefix string, refusal Reason) {
	s := v.scheme
	if s.PrefixOnce {
		rest, ok := strings.CutPrefix(header, s.Prefix)
		if !ok {
			return nil, "", "" // another version of the scheme
		}
		header, s.Prefix = rest, ""
	}
	if s.Delimiter == "" {
		return []string{header}, s.Prefix, ""
	}
	if strings.Count(header, s.Delimiter) >= MaxSignatures {
		return nil, "", BadHeader
	}
	return strings.Split(header, s.Delimiter), s.Prefix, ""
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
func (v *signature) ambiguous(place, value string) bool {
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
