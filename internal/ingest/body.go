package ingest

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"mime"
	"net/http"
	"strings"

	"changerelay/internal/ingest/source"
)

// admit claims memory for a request, as much as it may come to hold.
func (s *Server) admit(r *http.Request) (release func(), err error) {
	if r.ContentLength > MaxBody {
		return nil, errTooLarge
	}
	cost := int64(requestCost + MaxBody)
	if r.ContentLength >= 0 {
		cost = requestCost + r.ContentLength
	}
	if s.inFlight.Add(cost) > MaxInFlight {
		s.inFlight.Add(-cost)
		return nil, errBusy
	}
	return func() { s.inFlight.Add(-cost) }, nil
}

// readBody reads the raw bytes, once; the signature is over them.
func readBody(x *exchange) ([]byte, error) {
	r := http.MaxBytesReader(x.Response().Writer, x.Request().Body, MaxBody)
	var b bytes.Buffer
	b.Grow(int(min(max(x.Request().ContentLength, 0), 16<<10)) + bytes.MinRead)
	_, err := b.ReadFrom(r)
	x.bytes = b.Len()
	if err != nil {
		return nil, &bodyError{err}
	}
	sum := sha256.Sum256(b.Bytes())
	x.digest = hex.EncodeToString(sum[:])
	return b.Bytes(), nil
}

// readable refuses what the decoder would not understand.
func readable(d source.Decoder, h http.Header) error {
	if e := h.Values("Content-Encoding"); len(e) > 0 && !strings.EqualFold(strings.Join(e, ","), "identity") {
		return &unsupported{"Content-Encoding: bodies are taken uncompressed only"}
	}
	media, _, err := mime.ParseMediaType(h.Get("Content-Type"))
	if err != nil || len(h.Values("Content-Type")) != 1 || !d.Accepts(media) {
		return &unsupported{"Content-Type: want application/json, or for a CloudEvent application/cloudevents+json"}
	}
	return nil
}
