package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httputil"
	"strings"

	"changerelay/internal/ingest/verify"
)

// A capture is a request as somebody has caught it.
type capture struct {
	verify.Request
	notes []string // on what was read into it
}

// parseRequest reads one of
//
//   - the text of an HTTP/1.1 request: a request line, header lines, an empty
//     line, and the body as it is. Lines of the head end with LF or CRLF.
//   - what curl -v prints, of which the lines with "> " are the head, and the
//     body after them, with or without an empty line before it.
//
// Without a request line it is a POST to path. The body is everything that
// follows, unless Content-Length says that an editor has added a newline, or the
// head says that it is in chunks and it is.
func parseRequest(data []byte, path string) (*capture, error) {
	head, body := splitRequest(data)
	switch {
	case len(head) == 0:
		return nil, errors.New("there is no request in it; want header lines, an empty line and the body")
	case bytes.HasPrefix(body, []byte("< HTTP/")):
		return nil, errors.New("behind the request's head is the answer; curl -v does not print what it sends: put the body there")
	}
	if !isRequestLine(head[0]) {
		head = append([]string{"POST " + path + " HTTP/1.1"}, head...)
	}
	r, err := readHead(head)
	if err != nil {
		return nil, err
	}
	c := &capture{Request: verify.Request{Method: r.Method, Authority: r.Host, Header: r.Header}}
	c.Path, c.Query, _ = strings.Cut(r.RequestURI, "?")
	if !strings.HasPrefix(c.Path, "/") { // the absolute form, as to a proxy
		c.Path, c.Query = r.URL.EscapedPath(), r.URL.RawQuery
	}
	c.Body = body
	switch {
	case len(r.TransferEncoding) > 0:
		c.unchunk()
	case r.Header.Get("Content-Length") != "":
		c.measure(int(r.ContentLength))
	}
	return c, nil
}

// splitRequest returns the lines of the head and the bytes of the body.
func splitRequest(data []byte) (head []string, body []byte) {
	data = bytes.TrimLeft(data, "\r\n")
	if isCurl(data) {
		return splitCurl(data)
	}
	for len(data) > 0 {
		var line string
		if line, data = cutLine(data); line == "" {
			break
		}
		head = append(head, line)
	}
	return head, data
}

func isCurl(data []byte) bool {
	return len(data) > 1 && bytes.IndexByte([]byte(">*"), data[0]) >= 0 && data[1] == ' '
}

// splitCurl leaves out what curl says besides, up to the body: comments with "*",
// and marks of data with "{" and "}", which come before the head's end only.
func splitCurl(data []byte) (head []string, body []byte) {
	for len(data) > 0 {
		line, rest := cutLine(data)
		switch {
		case line == ">" || line == "> ":
			return head, afterCurl(rest)
		case strings.HasPrefix(line, "> "):
			head = append(head, line[2:])
		case len(head) > 0 && !strings.HasPrefix(line, "* "):
			return head, afterCurl(data)
		}
		data = rest
	}
	return head, nil
}

// afterCurl is the body, behind curl's last words on the request and an empty
// line.
func afterCurl(data []byte) []byte {
	for bytes.HasPrefix(data, []byte("* ")) {
		_, data = cutLine(data)
	}
	if line, rest := cutLine(data); line == "" {
		return rest
	}
	return data
}

// cutLine returns the first line without its end, and what follows.
func cutLine(data []byte) (line string, rest []byte) {
	first, rest, _ := bytes.Cut(data, []byte("\n"))
	return strings.TrimSuffix(string(first), "\r"), rest
}

// isRequestLine takes the line of any version: the head of an HTTP/2 request is
// shown like that of an older one.
func isRequestLine(s string) bool {
	f := strings.Fields(s)
	return len(f) == 3 && strings.HasPrefix(f[2], "HTTP/")
}

// readHead has net/http read the head, as the relay does.
func readHead(lines []string) (*http.Request, error) {
	f := strings.Fields(lines[0])
	text := strings.Join(append([]string{f[0] + " " + f[1] + " HTTP/1.1"}, lines[1:]...), "\r\n") + "\r\n\r\n"
	r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(text)))
	if err != nil {
		// The error may quote a header.
		return nil, errors.New("its head is not that of an HTTP request; want a line such as POST /v1/hooks/snow HTTP/1.1, then lines such as Content-Type: application/json")
	}
	return r, nil
}

// measure cuts newlines that an editor has put behind the body.
func (c *capture) measure(announced int) {
	extra := len(c.Body) - announced
	switch {
	case extra < 0:
		c.note("the body has %d bytes, but Content-Length says %d: it is not whole, or its line ends were changed", len(c.Body), announced)
	case extra > 0 && len(bytes.Trim(c.Body[announced:], "\r\n")) == 0:
		c.Body = c.Body[:announced]
		c.note("%d bytes of line ends behind the body are left out: Content-Length says %d", extra, announced)
	case extra > 0:
		c.note("the body has %d bytes, but Content-Length says %d: there is more in the file than the request", len(c.Body), announced)
	}
}

// unchunk takes the body out of its chunks (RFC 9112, section 7.1), if it is in
// any: some tools show it without.
func (c *capture) unchunk() {
	if b, err := io.ReadAll(httputil.NewChunkedReader(bytes.NewReader(c.Body))); err == nil {
		c.Body = b
	}
}

// trimmed is the request without a line end behind its body, if it has one.
func (c *capture) trimmed() (verify.Request, bool) {
	r := c.Request
	r.Body = bytes.TrimSuffix(bytes.TrimSuffix(r.Body, []byte("\n")), []byte("\r"))
	return r, bytes.HasSuffix(c.Body, []byte("\n"))
}

func (c *capture) note(format string, args ...any) {
	c.notes = append(c.notes, fmt.Sprintf(format, args...))
}
