package boot

import (
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

func (d *decoder) listen(path, address string) {
	_, port, err := net.SplitHostPort(address)
	if n, e := strconv.Atoi(port); err != nil || e != nil || n < 0 || n > 65535 {
		d.bad(path, "want host:port or :port")
	}
}

// baseURL may be http: who ends TLS, and where, is not ours to know.
func (d *decoder) baseURL(path, value string) {
	u, err := url.Parse(value)
	if value != "" && (err != nil || u.Scheme != "https" && u.Scheme != "http" || !isRoot(u, value)) {
		d.bad(path, "want an https:// or http:// URL without a slash at its end")
	}
}

func (d *decoder) oneOf(path, value string, words []string) {
	if slices.Contains(words, value) {
		return
	}
	if near := nearest(value, words); near != "" {
		d.bad(path, "want one of %s; did you mean %q?", strings.Join(words, ", "), near)
		return
	}
	d.bad(path, "want one of %s", strings.Join(words, ", "))
}

func (d *decoder) within(path string, value, low, high int) {
	if value < low || value > high {
		d.bad(path, "want %d to %d", low, high)
	}
}

// endpoint is a URL that paths are put behind.
func (d *decoder) endpoint(path, value string) {
	u, err := url.Parse(value)
	if err != nil || u.Scheme != "https" || !isRoot(u, value) {
		d.bad(path, "want an https:// URL without a slash at its end; cloud: custom needs it")
	}
}

// isRoot reports whether a URL is one that paths can be put behind.
func isRoot(u *url.URL, value string) bool {
	return u.Host != "" && u.User == nil && !strings.ContainsAny(value, "?#") && !strings.HasSuffix(value, "/")
}

func (d *decoder) name(path, name string) {
	if !namePattern.MatchString(name) {
		d.bad(path, "want a name of a-z, 0-9 and -, at most 63 characters, not beginning with -")
	}
}

func (d *decoder) secret(path string, s Secret) {
	switch {
	case s.File != "" && s.Env != "":
		d.bad(path, "want file or env, not both")
	case s.Env != "" && !envPattern.MatchString(s.Env):
		d.bad(path+".env", "want the name of an environment variable, not its value")
	}
}

func (d *decoder) needSecret(path string, s Secret) {
	if s.IsZero() {
		d.bad(path, "is missing; give file or env")
	}
	d.secret(path, s)
}
