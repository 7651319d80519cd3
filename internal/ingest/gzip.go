package ingest

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"strings"

	"changerelay/internal/events"
)

// unpack returns the body as the decoder reads it. Signatures are over the
// bytes as they came; what grows out of them is claimed from the memory in
// flight as it does.
func (snd *sender) unpack(h http.Header, body []byte, grow func(int64) error) ([]byte, error) {
	encodings := h.Values("Content-Encoding")
	switch {
	case len(encodings) == 0 || len(encodings) == 1 && strings.EqualFold(encodings[0], "identity"):
		return body, nil
	case !snd.Gzip:
		return nil, &unsupported{"Content-Encoding: bodies are taken uncompressed only"}
	case len(encodings) != 1 || !strings.EqualFold(encodings[0], "gzip"):
		return nil, &unsupported{"Content-Encoding: bodies are taken as gzip or uncompressed only"}
	}
	if err := grow(unpackCost); err != nil {
		return nil, err
	}
	return gunzip(body, snd.MaxBody, grow)
}

// gunzip unpacks one gzip stream: a second one, and whatever else follows, is
// refused, for other readers would leave it out.
func gunzip(packed []byte, limit int, grow func(int64) error) ([]byte, error) {
	in := bytes.NewReader(packed)
	z, err := gzip.NewReader(in)
	if err != nil {
		return nil, errNotGzip
	}
	z.Multistream(false)
	var out []byte
	chunk := make([]byte, requestCost/2)
	for err == nil {
		var n int
		n, err = z.Read(chunk)
		if full := grow(int64(n)); full != nil {
			return nil, full
		}
		out = append(out, chunk[:n]...)
		if len(out) > limit || len(out) > ratioFrom && len(out)/MaxRatio > len(packed) {
			return nil, &tooLarge{limit: limit, unpacked: true}
		}
	}
	if err != io.EOF || in.Len() > 0 {
		return nil, errNotGzip
	}
	return out, nil
}

var errNotGzip = &events.InvalidError{Reason: "the body is not one complete gzip stream, as its Content-Encoding says"}
