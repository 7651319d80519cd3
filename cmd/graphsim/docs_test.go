package main

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"unicode"

	"changerelay/internal/graphsim"
)

const manual = "../../docs/graphsim.md"

// A shell runs the little of sh and curl that the manual uses.
type shell struct {
	t      *testing.T
	vars   map[string]string
	client *http.Client
	seen   string // the last answer: status line and body
}

func newShell(t *testing.T, ca string) *shell {
	t.Helper()
	pem, err := os.ReadFile(ca)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		t.Fatal("the CA file has no certificate")
	}
	tr := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}
	t.Cleanup(tr.CloseIdleConnections)
	return &shell{t: t, vars: map[string]string{}, client: &http.Client{Transport: tr}}
}

var (
	assigned = regexp.MustCompile(`^([A-Z]+)=(.*)$`)
	captured = regexp.MustCompile(`^\$\((curl .*) \| sed 's/\.\*"access_token":"\\\(\[\^"\]\*\\\)"\.\*/\\1/'\)$`)
	gotToken = regexp.MustCompile(`"access_token":"([^"]*)"`)
)

// line runs one line. "# text" wants the last answer to have the text.
func (s *shell) line(l string) {
	s.t.Helper()
	if wanted, ok := strings.CutPrefix(l, "# "); ok {
		if !strings.Contains(s.seen, wanted) {
			s.t.Errorf("the manual promises %q, the answer is %s", wanted, s.seen)
		}
		return
	}
	m := assigned.FindStringSubmatch(l)
	switch {
	case m == nil:
		s.curl(l)
	case captured.MatchString(m[2]):
		s.curl(captured.FindStringSubmatch(m[2])[1])
		token := gotToken.FindStringSubmatch(s.seen)
		if token == nil {
			s.t.Fatalf("no token: %s", s.seen)
		}
		s.vars[m[1]] = token[1]
	case s.vars[m[1]] == "":
		s.vars[m[1]] = m[2] // those that a test sets first stay
	}
}

// words splits a line as a shell does, and puts the variables in.
func (s *shell) words(l string) (out []string) {
	var b strings.Builder
	quote, began := rune(0), false
	for i, r := range l {
		switch {
		case r == quote:
			quote = 0
		case quote == 0 && (r == '\'' || r == '"'):
			quote, began = r, true
		case r == '\\' && quote == '"':
		case r == '$' && quote != '\'' && (i == 0 || l[i-1] != '\\'):
			b.WriteRune('\x00')
		case r == ' ' && quote == 0:
			out, began = append(out, b.String()), false
			b.Reset()
			continue
		default:
			b.WriteRune(r)
		}
		began = true
	}
	if began {
		out = append(out, b.String())
	}
	for i := range out {
		out[i] = regexp.MustCompile("\x00[A-Z]+").ReplaceAllStringFunc(out[i], func(v string) string { return s.vars[v[1:]] })
	}
	return out
}

func (s *shell) curl(l string) {
	s.t.Helper()
	w := s.words(l)
	method, target, header := "", "", http.Header{}
	var data []string
	for i := 1; i < len(w); i++ {
		switch w[i] {
		case "-s", "-i":
			continue
		case "--cacert":
		case "-X":
			method = w[i+1]
		case "-H":
			k, v, _ := strings.Cut(w[i+1], ": ")
			header.Set(k, v)
		case "-d":
			data = append(data, w[i+1])
		case "--data-urlencode":
			k, v, _ := strings.Cut(w[i+1], "=")
			data = append(data, k+"="+url.QueryEscape(v))
		default:
			target = w[i]
			continue
		}
		i++
	}
	if method == "" && len(data) > 0 {
		method = "POST"
	}
	if len(data) > 0 && header.Get("Content-Type") == "" {
		header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	s.call(method, target, header, strings.Join(data, "&"))
}

func (s *shell) call(method, target string, header http.Header, body string) {
	s.t.Helper()
	req, err := http.NewRequest(method, target, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header = header
	res, err := s.client.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	s.seen = res.Status + "\n" + string(b)
}

var blocks = regexp.MustCompile("(?s)```sh\n(.*?)```")

// Every command of the manual does what the manual says.
func TestManual(t *testing.T) {
	text, err := os.ReadFile(manual)
	if err != nil {
		t.Fatal(err)
	}
	d := start(t, &cli{})
	s := newShell(t, d.ca)
	s.vars["GRAPH"], s.vars["ADMIN"] = d.graph(), d.admin()
	lines := 0
	for _, block := range blocks.FindAllStringSubmatch(string(text), -1) {
		for l := range strings.Lines(block[1]) {
			lines++
			s.line(strings.TrimSuffix(l, "\n"))
		}
	}
	if lines < 40 {
		t.Errorf("only %d lines were found", lines)
	}
}

// Every knob has its row.
func TestManualHasEveryKnob(t *testing.T) {
	text, err := os.ReadFile(manual)
	if err != nil {
		t.Fatal(err)
	}
	for _, typ := range []reflect.Type{reflect.TypeFor[graphsim.Knobs](), reflect.TypeFor[graphsim.Fault]()} {
		for f := range typ.NumField() {
			name := typ.Field(f).Name
			if name != "Hook" && !strings.Contains(string(text), "`"+lower(name)+"`") {
				t.Errorf("%s is not in the manual", lower(name))
			}
		}
	}
}

// Every test that the manual names exists.
func TestManualNamesTests(t *testing.T) {
	text, err := os.ReadFile(manual)
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("../../internal/graphsim/*_test.go")
	if err != nil || len(files) == 0 {
		t.Fatal(err, files)
	}
	var code strings.Builder
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		code.Write(b)
	}
	for _, m := range regexp.MustCompile("`(Test[A-Za-z0-9]+)`").FindAllStringSubmatch(string(text), -1) {
		if !strings.Contains(code.String(), "func "+m[1]+"(") {
			t.Errorf("there is no %s", m[1])
		}
	}
}

func lower(name string) string {
	var b strings.Builder
	rs := []rune(name)
	for i, r := range rs {
		if unicode.IsUpper(r) && i > 0 && (unicode.IsLower(rs[i-1]) || i+1 < len(rs) && unicode.IsLower(rs[i+1])) {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}
