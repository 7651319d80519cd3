package main

import (
	"bytes"
	"strings"
	"testing"
)

// The parts of a request are those that its sender has signed.
func TestParseRequest(t *testing.T) {
	c, err := parseRequest([]byte("> POST /v1/hooks/a%2Fb?x=%20&y HTTP/2\r\n> Host: relay.example:8443\r\n> x-a: 1\r\n> X-A: 2\r\n> \r\n\n \xff\x00\n"), "/")
	if err != nil {
		t.Fatal(err)
	}
	if c.Method != "POST" || c.Authority != "relay.example:8443" || c.Path != "/v1/hooks/a%2Fb" || c.Query != "x=%20&y" ||
		strings.Join(c.Header["X-A"], ",") != "1,2" || string(c.Body) != " \xff\x00\n" || c.notes != nil {
		t.Errorf("%+v", c)
	}
	for name, request := range map[string]string{
		"short": "Content-Length: 9\n\nabc", "long": "Content-Length: 2\n\nabc", "two lengths": "Content-Length: 1\nContent-Length: 2\n\nab",
	} {
		c, err := parseRequest([]byte(request), "/")
		if name == "two lengths" != (err != nil) || err == nil && (!strings.HasPrefix(string(c.Body), "abc") || len(c.notes) != 1) {
			t.Errorf("%s: %+v, %v", name, c, err)
		}
	}
}

// Whatever the file holds, the body is bytes of it; and behind a head of our own
// it is all of them.
func FuzzParseRequest(f *testing.F) {
	for _, seed := range []string{
		"POST /v1/hooks/snow HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}\r\n",
		"GET http://x/y?z HTTP/1.0\n\n", "content-type: a\n\n{}", "* \n> POST / HTTP/2\n>\n* \n\nb", "> POST / HTTP/1.1\n> A: b\nbody",
		"POST / HTTP/1.1\nTransfer-Encoding: chunked\n\n5;a=b\r\nhello\r\n0\r\n\r\n", "POST / HTTP/1.1\nTransfer-Encoding: chunked\n\nffffffffffffffff\r\n",
		"a: b\n c: d\n\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "> \n", "*", ">", "> > >\n>\n", "A: \x00\n\n", "Content-Length: -1\n\n", "Content-Length: 99999999999999999999\n\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := parseRequest(data, "/")
		chunked := err == nil && len(c.Body) > 0 && !bytes.Contains(data, c.Body)
		if chunked && !bytes.Contains(bytes.ToLower(data), []byte("chunked")) {
			t.Errorf("the body %q is none of the file's", c.Body)
		}
		if err == nil {
			c.trimmed()
		}
		c, err = parseRequest(append([]byte("POST / HTTP/1.1\r\nHost: x\r\n\r\n"), data...), "/")
		if err == nil && !bytes.Equal(c.Body, data) || err != nil && !bytes.HasPrefix(data, []byte("< HTTP/")) {
			t.Errorf("the body %q is read as %+v, %v", data, c, err)
		}
	})
}
