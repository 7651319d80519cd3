package verify

import (
	"cmp"
	"net/url"
	"strings"

	"github.com/dunglas/httpsfv"
)

// derived are the components that are no header (RFC 9421, section 2.2).
// @scheme and @target-uri are not among them: behind a proxy that ends TLS
// nobody tells us the scheme. Nor is @request-target, whose form is up to the
// proxy too.
var derived = map[string]func(*Request) string{
	"@method":    func(r *Request) string { return r.Method },
	"@authority": authority,
	"@path":      func(r *Request) string { return cmp.Or(r.Path, "/") },
	"@query":     func(r *Request) string { return "?" + r.Query }, // a lone question mark when there is none
}

// authority has no default port; the scheme is taken to be https.
func authority(r *Request) string {
	lower := func(c rune) rune {
		if c >= 'A' && c <= 'Z' {
			return c + 'a' - 'A'
		}
		return c // what is not ASCII must not become it
	}
	return strings.TrimSuffix(strings.Map(lower, r.Authority), ":443")
}

// component looks up the value of a component, and says whether it is all of
// it. It refuses what it does not know, and ;req, which no request may have.
func component(r *Request, name string, p *httpsfv.Params) (value string, whole bool, refusal Reason) {
	parameter := strings.Join(p.Names(), ";") // one at most has a meaning
	f, isDerived := derived[name]
	switch {
	case isDerived && parameter == "":
		return f(r), true, ""
	case name == "@query-param" && parameter == "name":
		value, refusal = queryParam(r.Query, p)
		return value, true, refusal
	case strings.HasPrefix(name, "@") || name != strings.ToLower(name):
		return "", false, BadHeader
	}
	value, refusal = headerLine(r, name)
	if refusal != "" || parameter == "" {
		return value, true, refusal
	}
	if value, ok := reworked(name, value, parameter, p); ok {
		return value, parameter != "key", ""
	}
	return "", false, BadHeader
}

// headerLine is the value of a header, which must be there once: the RFC would
// join several lines, but then one signed text could be one line or two, and
// who reads only the first of them would be misled.
func headerLine(r *Request, name string) (string, Reason) {
	if name == "host" {
		return r.Authority, "" // net/http takes it out of the headers
	}
	values := r.Header.Values(name)
	switch len(values) {
	case 0:
		return "", MissingHeader
	case 1:
		return strings.Trim(values[0], " \t"), ""
	}
	return "", RepeatedHeader
}

// reworked is a header's value as its component's parameter wants it (RFC 9421,
// section 2.1).
func reworked(name, line, parameter string, p *httpsfv.Params) (string, bool) {
	var value httpsfv.StructuredFieldValue
	flag, _ := param[bool](p, parameter)
	key, isKey := param[string](p, parameter)
	d, err := httpsfv.UnmarshalDictionary([]string{line})
	switch {
	case parameter == "bs" && flag:
		value = httpsfv.NewItem([]byte(line))
	case parameter == "sf" && flag && name == "content-digest" && err == nil: // of others the type is not known
		value = d
	case parameter == "key" && isKey && err == nil:
		value, _ = d.Get(key)
	}
	if value == nil {
		return "", false
	}
	text, err := httpsfv.Marshal(value)
	return text, err == nil
}

// queryParam is a parameter of the query that is there once, encoded anew (RFC
// 9421, section 2.2.8).
func queryParam(query string, p *httpsfv.Params) (value string, refusal Reason) {
	name, ok := param[string](p, "name")
	if !ok {
		return "", BadHeader
	}
	found := 0
	for pair := range strings.SplitSeq(query, "&") {
		k, v, _ := strings.Cut(pair, "=")
		k, badKey := url.QueryUnescape(k)
		v, badValue := url.QueryUnescape(v)
		if pair == "" || badKey != nil || formEncode(k) != name {
			continue
		}
		if badValue != nil {
			return "", BadHeader
		}
		value = formEncode(v)
		found++
	}
	if found != 1 {
		return "", BadHeader
	}
	return value, ""
}

// formEncode leaves the bytes alone that forms leave alone, as URLs' standard has it.
func formEncode(s string) string {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("*-._", c) >= 0 {
			b.WriteByte(c)
		} else {
			b.Write([]byte{'%', hex[c>>4], hex[c&15]})
		}
	}
	return b.String()
}
