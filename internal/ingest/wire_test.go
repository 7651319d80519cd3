package ingest

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"changerelay/internal/await"
)

// A listener is a world behind a real socket, with a server's own bounds.
type listener struct {
	*world
	addr string
}

// listen has a hurry to shorten the times that a test would have to wait for.
func listen(t *testing.T, hurry bool, change ...func(*Config)) *listener {
	t.Helper()
	before := runtime.NumGoroutine()
	w := newWorld(t, change...)
	srv := w.HTTPServer("")
	if hurry {
		srv.ReadHeaderTimeout, srv.ReadTimeout = 200*time.Millisecond, 300*time.Millisecond
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- srv.Serve(l) }()
	t.Cleanup(func() {
		await.State(t, "the memory in flight to be given back", func() bool { return w.inFlight.Load() == 0 })
		_ = srv.Close()
		<-served
		await.State(t, "every goroutine to end", func() bool { return runtime.NumGoroutine() <= before })
	})
	return &listener{w, l.Addr().String()}
}

// raw sends bytes as they are, and returns the answer's code, or 0 if the
// connection ends without one.
func (l *listener) raw(t *testing.T, parts ...string) (code int, body string) {
	t.Helper()
	c, err := net.Dial("tcp", l.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	for _, p := range parts {
		if p == endOfInput {
			err = c.(*net.TCPConn).CloseWrite()
		} else {
			_, err = io.WriteString(c, p)
		}
		if err != nil {
			break // it has answered and hung up; what it said can still be read
		}
	}
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		if e, ok := err.(net.Error); ok && e.Timeout() {
			t.Fatal("the server keeps the connection open")
		}
		return 0, ""
	}
	defer resp.Body.Close()
	text, _ := io.ReadAll(resp.Body)
	return resp.StatusCode, string(text)
}

// endOfInput ends the sender's side of the connection.
const endOfInput = "\x00end"

// head is a request's head for the hook, its line ends included.
func head(source string, headers ...string) string {
	return "POST /v1/hooks/" + source + " HTTP/1.1\r\nHost: changes.example.com\r\nContent-Type: application/json\r\n" + strings.Join(headers, "\r\n") + "\r\n\r\n"
}

func length(body string) string { return fmt.Sprintf("Content-Length: %d", len(body)) }

func signature(key, body string) string { return "X-Hmac-Signature: " + mac(key, body) }

// What hostile and broken senders meet. After each, the memory is given back
// and no goroutine is left.
func TestOnTheWire(t *testing.T) {
	bomb := gz(strings.Repeat("0", 10<<20))
	deep := strings.Repeat("[", 10000) + strings.Repeat("]", 10000)
	big := strings.Repeat("x", DefaultMaxBody)
	sig := signature(snowKey, snowBody)
	chunk := func(s string) string { return fmt.Sprintf("%x\r\n%s\r\n", len(s), s) }
	for name, c := range map[string]struct {
		parts []string
		code  int // 0: hung up on
		word  string
	}{
		"good":                      {[]string{head("snow", sig, length(snowBody)), snowBody}, 202, "queued"},
		"good, chunked":             {[]string{head("snow", sig, "Transfer-Encoding: chunked"), chunk(snowBody[:9]), chunk(snowBody[9:]), "0\r\n\r\n"}, 202, "queued"},
		"slow head":                 {[]string{"POST /v1/hooks/snow HTTP/1.1\r\nHost: chang"}, 0, ""},
		"slow to say anything":      {nil, 0, ""},
		"slow body":                 {[]string{head("snow", sig, length(snowBody)), snowBody[:9]}, 408, "timeout"},
		"slow chunk":                {[]string{head("snow", sig, "Transfer-Encoding: chunked"), chunk(snowBody[:9])}, 408, "timeout"},
		"cut off":                   {[]string{head("snow", sig, length(snowBody)), snowBody[:9], endOfInput}, 400, "incomplete"},
		"broken chunk":              {[]string{head("snow", sig, "Transfer-Encoding: chunked"), "zz\r\n"}, 400, "incomplete"},
		"announced over the limit":  {[]string{head("snow", sig, "Content-Length: 1000000000")}, 413, "too_large"},
		"chunked over the limit":    {[]string{head("snow", sig, "Transfer-Encoding: chunked"), chunk(big), chunk("x"), "0\r\n\r\n"}, 413, "too_large"},
		"endless chunks":            {[]string{head("snow", sig, "Transfer-Encoding: chunked"), chunk(big), chunk(big), chunk(big), chunk(big)}, 413, "too_large"},
		"gzip bomb":                 {[]string{head("packed", signature(packedKey, bomb), "Content-Encoding: gzip", length(bomb)), bomb}, 413, "too_large"},
		"gzip bomb, not wanted":     {[]string{head("snow", signature(snowKey, bomb), "Content-Encoding: gzip", length(bomb)), bomb}, 415, "unsupported_media_type"},
		"gzip bomb, unsigned":       {[]string{head("packed", "Content-Encoding: gzip", length(bomb)), bomb}, 401, "unauthorized"},
		"deep JSON":                 {[]string{head("snow", signature(snowKey, deep), length(deep)), deep}, 422, "invalid"},
		"deep JSON, unsigned":       {[]string{head("snow", length(deep)), deep}, 401, "unauthorized"},
		"two signatures":            {[]string{head("snow", sig, sig, length(snowBody)), snowBody}, 401, "unauthorized"},
		"two signatures, one wrong": {[]string{head("snow", "x-hmac-signature: AAAA", sig, length(snowBody)), snowBody}, 401, "unauthorized"},
		"two content types":         {[]string{head("snow", sig, "Content-Type: text/plain", length(snowBody)), snowBody}, 415, "unsupported_media_type"},
		"two lengths":               {[]string{head("snow", sig, length(snowBody), "Content-Length: 3"), snowBody}, 400, ""},
		"two hosts":                 {[]string{head("snow", sig, "Host: other.example.com", length(snowBody)), snowBody}, 400, ""},
		"long head":                 {[]string{head("snow", "X-Long: "+strings.Repeat("x", MaxHeaderBytes+8<<10))}, 431, ""},
		"no HTTP":                   {[]string{"\x16\x03\x01\x02\x00\r\n\r\n"}, 400, ""},
	} {
		t.Run(name, func(t *testing.T) {
			l := listen(t, strings.HasPrefix(name, "slow"), withPacked)
			code, body := l.raw(t, c.parts...)
			if code != c.code || !strings.Contains(body, c.word) {
				t.Errorf("got %d %s, want %d %s", code, body, c.code, c.word)
			}
		})
	}
}

// A sender that trickles its body claims what it has sent, and no more; the
// length that it announces claims nothing.
func TestTrickleClaimsLittle(t *testing.T) {
	l := listen(t, true)
	var open []net.Conn
	for range 20 {
		c, err := net.Dial("tcp", l.addr)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if _, err := io.WriteString(c, head("snow", fmt.Sprintf("Content-Length: %d", DefaultMaxBody))+"{"); err != nil {
			t.Fatal(err)
		}
		open = append(open, c)
	}
	most := int64(0)
	await.State(t, "the slow requests to be answered", func() bool {
		most = max(most, l.inFlight.Load())
		return strings.Count(l.log.String(), `"outcome":"timeout"`) == len(open)
	})
	if most > int64(len(open))*2*requestCost {
		t.Errorf("%d bytes were claimed", most)
	}
}

// Two requests on one connection have an answer each: nothing of the first is
// read as the second.
func TestPipelining(t *testing.T) {
	l := listen(t, false)
	c, err := net.Dial("tcp", l.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	one := head("snow", signature(snowKey, snowBody), length(snowBody)) + snowBody
	if _, err := io.WriteString(c, one+one); err != nil {
		t.Fatal(err)
	}
	r := bufio.NewReader(c)
	for _, want := range []int{202, 200} {
		resp, err := http.ReadResponse(r, nil)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("got %d, want %d", resp.StatusCode, want)
		}
	}
}
