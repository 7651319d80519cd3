package ingest

import (
	"bytes"
	"compress/gzip"
	"errors"
	"net/http"
	"strings"
	"testing"

	"changerelay/internal/events"
)

const packedKey = "the-packing-key"

// withPacked adds a source that may compress its bodies.
func withPacked(c *Config) {
	withSource("packed", func(s *Source) { s.Kind, s.Checks, s.Gzip = "servicenow", signed("servicenow", packedKey), true })(c)
}

// packed makes a request of that source; body is as it is sent, and signed.
func packed(body string) *http.Request {
	r := post("/v1/hooks/packed", body)
	r.Header.Set("Content-Encoding", "gzip")
	r.Header.Set("X-Hmac-Signature", mac(packedKey, body))
	return r
}

func gz(text string) string {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = z.Write([]byte(text))
	_ = z.Close()
	return b.String()
}

func TestGzip(t *testing.T) {
	zeros := strings.Repeat("0", 10<<20)
	for name, c := range map[string]struct {
		body     string
		encoding []string
		code     int
		text     string
	}{
		"gzip":           {gz(snowBody), []string{"gzip"}, 202, "queued"},
		"capitals":       {gz(snowBody), []string{"GZIP"}, 202, "queued"},
		"none":           {snowBody, nil, 202, "queued"},
		"identity":       {snowBody, []string{"identity"}, 202, "queued"},
		"other":          {gz(snowBody), []string{"br"}, 415, "gzip or uncompressed"},
		"old name":       {gz(snowBody), []string{"x-gzip"}, 415, "Content-Encoding"},
		"two":            {gz(gz(snowBody)), []string{"gzip, gzip"}, 415, "Content-Encoding"},
		"two headers":    {gz(snowBody), []string{"gzip", "gzip"}, 415, "Content-Encoding"},
		"bomb":           {gz(zeros), []string{"gzip"}, 413, "unpacks to more than 262144 bytes, or to more than 100 times its size"},
		"over the limit": {gz(noise(300 << 10)), []string{"gzip"}, 413, "unpacks to more than"},
		"two members":    {gz(snowBody) + gz(" "), []string{"gzip"}, 422, "not one complete gzip stream"},
		"and garbage":    {gz(snowBody) + "\n", []string{"gzip"}, 422, "not one complete gzip stream"},
		"cut off":        {gz(snowBody)[:40], []string{"gzip"}, 422, "not one complete gzip stream"},
		"no gzip":        {snowBody, []string{"gzip"}, 422, "not one complete gzip stream"},
		"empty":          {"", []string{"gzip"}, 422, "not one complete gzip stream"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, withPacked)
			r := packed(c.body)
			r.Header["Content-Encoding"] = c.encoding
			rec := w.do(r)
			if rec.Code != c.code || !strings.Contains(rec.Body.String(), c.text) {
				t.Errorf("got %d %s, want %d %s", rec.Code, rec.Body, c.code, c.text)
			}
			if w.inFlight.Load() != 0 {
				t.Errorf("%d bytes are still claimed", w.inFlight.Load())
			}
		})
	}
}

// noise is JSON-like text that packs about fifty to one: less than a bomb.
func noise(n int) string {
	var b strings.Builder
	for i := 0; b.Len() < n; i++ {
		b.WriteString(strings.Repeat("x", 200) + mac("noise", string(rune(i)))[:4])
	}
	return b.String()
}

// What a bomb unpacks to is claimed as it grows, and ends soon after a bound.
func TestGunzipBounds(t *testing.T) {
	bomb := []byte(gz(strings.Repeat("0", 10<<20)))
	for name, c := range map[string]struct{ limit, most int }{
		"ratio": {MaxBody, MaxRatio*len(bomb) + requestCost},
		"limit": {1000, 1000 + requestCost},
	} {
		claimed := 0
		_, err := gunzip(bomb, c.limit, func(n int64) error { claimed += int(n); return nil })
		if !as[*tooLarge](err) || claimed > c.most {
			t.Errorf("%s: got %v after %d bytes, want at most %d", name, err, claimed, c.most)
		}
	}
	if _, err := gunzip(bomb, MaxBody, func(int64) error { return errBusy }); !errors.Is(err, errBusy) {
		t.Errorf("without memory: got %v", err)
	}
}

func FuzzGunzip(f *testing.F) {
	for _, s := range []string{"", "\x1f\x8b", gz(""), gz(snowBody), gz(snowBody)[:30], gz("a") + gz("b"), gz(strings.Repeat("0", 1<<20))} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		const limit = 128 << 10
		claimed := 0
		out, err := gunzip(in, limit, func(n int64) error { claimed += int(n); return nil })
		if claimed > limit+requestCost || len(out) > limit || err == nil && claimed != len(out) {
			t.Errorf("%d bytes made %d, %d claimed: %v", len(in), len(out), claimed, err)
		}
		if err != nil && !as[*tooLarge](err) && !as[*events.InvalidError](err) {
			t.Errorf("got %v", err)
		}
	})
}
