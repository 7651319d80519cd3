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
	"sync"

	"changerelay/internal/ingest/source"
)

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
	chunk := chunks.Get().(*[requestCost / 2]byte)
	defer chunks.Put(chunk)
	var body []byte
	for {
		n, err := r.Read(chunk[:])
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

// chunks are what bodies are read by: most fit one, and are then copied once into
// memory of their own size.
var chunks = sync.Pool{New: func() any { return new([requestCost / 2]byte) }}

// readable refuses what the decoder would not understand.
func readable(kind string, d source.Decoder, h http.Header) error {
	media, params, err := mime.ParseMediaType(h.Get("Content-Type"))
	if charset := strings.ToLower(params["charset"]); charset != "" && charset != "utf-8" && charset != "utf8" {
		return &unsupported{"Content-Type: bodies are taken as UTF-8 only"}
	}
	if err != nil || len(h.Values("Content-Type")) != 1 || !d.Accepts(media) {
		return &unsupported{"Content-Type: " + source.WantMedia(kind)}
	}
	return nil
}
