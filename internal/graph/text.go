package graph

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"regexp"
	"strings"
	"syscall"
	"unicode"
)

// tokenForm is what a token looks like, whole or in part, and any other run of
// characters that is too long to be a word.
var tokenForm = regexp.MustCompile(`eyJ[A-Za-z0-9_-]*(\.[A-Za-z0-9_-]*)*|(?i:bearer)\s+[^\s"',;]+|[A-Za-z0-9._~+/=-]{65,}`)

// clean makes text from outside fit to be logged: no secret of ours that it
// may have echoed, nothing that could be one, no control characters, and at
// most so many characters.
func clean(text string, most int, hide ...string) string {
	for _, h := range hide {
		if h != "" {
			text = strings.ReplaceAll(text, h, "…")
		}
	}
	if isGUID(text) && most >= len(text) {
		return text // of most request ids: too short and too plain to be a token, and the expression takes 10 µs
	}
	text = tokenForm.ReplaceAllString(text, "…")
	text = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, text)
	runes := []rune(strings.TrimSpace(text))
	if len(runes) > most {
		return string(runes[:most-1]) + "…"
	}
	return string(runes)
}

// isGUID accepts what has the length and the characters of one, in lower or upper case.
func isGUID(s string) bool {
	return len(s) == 36 && !strings.ContainsFunc(s, func(r rune) bool {
		return r != '-' && (r < '0' || r > '9') && (r < 'a' || r > 'f') && (r < 'A' || r > 'F')
	})
}

var errBroken = errors.New("connection broke")

// cause says why a request got no reply. It goes by the kinds of error that it
// knows and drops all other text: net/http quotes a malformed reply, and that
// reply may quote our token.
func cause(err error) error {
	for _, end := range []error{context.Canceled, context.DeadlineExceeded, io.ErrUnexpectedEOF, io.EOF} {
		if errors.Is(err, end) {
			return end
		}
	}
	if e, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return e
	}
	if e, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return e
	}
	if e, ok := errors.AsType[*net.DNSError](err); ok {
		return e
	}
	if e, ok := errors.AsType[tls.AlertError](err); ok {
		return e
	}
	number, _ := errors.AsType[syscall.Errno](err)
	if op, ok := errors.AsType[*net.OpError](err); ok && number != 0 {
		return fmt.Errorf("%s %v: %w", op.Op, op.Addr, number)
	}
	if number != 0 {
		return number
	}
	if e, ok := errors.AsType[net.Error](err); ok && e.Timeout() {
		return context.DeadlineExceeded
	}
	return errBroken
}

// newID returns a random UUID.
func newID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

var idForm = regexp.MustCompile(`^[0-9A-Za-z][0-9A-Za-z-]{0,63}$`)

// validID takes what can stand in a path without meaning anything else there.
func validID(id string) bool { return idForm.MatchString(id) }

func printable(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '~' })
}

func letters(s string) bool {
	return s != "" && len(s) <= maxWord &&
		!strings.ContainsFunc(s, func(r rune) bool { return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') })
}
