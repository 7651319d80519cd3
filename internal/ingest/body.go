package ingest

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"
	"sync/atomic"

	"changerelay/internal/ingest/source"
)

// A share is a request's share of the memory in flight. It grows with the bytes
// that arrive; an announced length claims nothing, or a few hundred idle
// connections could shut the door.
type share struct {
	inFlight *atomic.Int64
	bytes    int64
}

// admit claims what any request costs.
func (s *Server) admit() (*share, error) {
	c := &share{inFlight: &s.inFlight}
	return c, c.grow(requestCost)
}

func (c *share) grow(n int64) error {
	if c.inFlight.Add(n) > MaxInFlight {
		c.inFlight.Add(-n)
		return errBusy
	}
	c.bytes += n
	return nil
}

func (c *share) release() { c.inFlight.Add(-c.bytes) }

// tooLarge is the error of a body over its source's limit in bytes.
type tooLarge struct {
	limit    int
	unpacked bool // only without its compression
}

func (e *tooLarge) Error() string {
	if e.unpacked {
		return fmt.Sprintf("the body unpacks to more than %d bytes, or to more than %d times its size", e.limit, MaxRatio)
	}
	return fmt.Sprintf("the body has more than %d bytes", e.limit)
}

// maxBody is the limit of a request's body: the named source's, else the usual
// one, for nobody is known before the body is verified.
func maxBody(named *sender) int {
	if named == nil {
		return DefaultMaxBody
	}
	return named.MaxBody
}

// readBody reads the raw bytes, once; the signature is over them.
func readBody(x *exchange, c *share, limit int) ([]byte, error) {
	if x.Request().ContentLength > int64(limit) {
		return nil, &tooLarge{limit: limit}
	}
	r := http.MaxBytesReader(x.Response().Writer, x.Request().Body, int64(limit))
	var body []byte
	chunk := make([]byte, requestCost/2)
	for {
		n, err := r.Read(chunk)
		if full := c.grow(int64(n)); full != nil {
			return nil, full
		}
		body = append(body, chunk[:n]...)
		x.bytes = len(body)
		if err == io.EOF {
			break
		}
		if over := (*http.MaxBytesError)(nil); errors.As(err, &over) {
			return nil, &tooLarge{limit: limit}
		}
		if err != nil {
			return nil, &bodyError{err}
		}
	}
	sum := sha256.Sum256(body)
	x.digest = hex.EncodeToString(sum[:])
	return body, nil
}

// readable refuses what the decoder would not understand.
func readable(d source.Decoder, h http.Header) error {
	media, params, err := mime.ParseMediaType(h.Get("Content-Type"))
	if charset := params["charset"]; charset != "" && !strings.EqualFold(charset, "utf-8") {
		return &unsupported{"Content-Type: bodies are taken as UTF-8 only"}
	}
	if err != nil || len(h.Values("Content-Type")) != 1 || !d.Accepts(media) {
		return &unsupported{"Content-Type: want application/json, or for a CloudEvent application/cloudevents+json"}
	}
	return nil
}
