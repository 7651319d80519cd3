package verify

import (
	"bytes"
	"crypto/sha256"
	"crypto/sha512"
	"net/http"
	"strings"

	"github.com/dunglas/httpsfv"
)

// digests are the algorithms of RFC 9530 that still say something of a body.
var digests = []struct {
	name string
	sum  func([]byte) []byte
}{
	{"sha-256", func(b []byte) []byte { sum := sha256.Sum256(b); return sum[:] }},
	{"sha-512", func(b []byte) []byte { sum := sha512.Sum512(b); return sum[:] }},
}

// contentDigest checks the body as it came in against Content-Digest (RFC 9530).
// One digest of ours must be there, and each that is there must fit: a sender
// whose two digests name two bodies is not understood. Other algorithms are
// skipped, and count for nothing.
func contentDigest(h http.Header, body []byte) Reason {
	d, refusal := dictionary(h, "Content-Digest")
	if refusal != "" {
		return refusal
	}
	refusal = BadDigest
	for _, algorithm := range digests {
		member, there := d.Get(algorithm.name)
		if !there {
			continue
		}
		want, ok := octets(member)
		switch {
		case !ok:
			return BadHeader
		case !bytes.Equal(want, algorithm.sum(body)):
			return BadDigest
		}
		refusal = ""
	}
	return refusal
}

// dictionary reads a header that must be there once and hold a dictionary (RFC
// 9651). The library takes the last of two equal keys, and base64 whose unused
// bits are set; here a text has one reading, and a reading one text: white
// space aside, it must be as the library writes it.
func dictionary(h http.Header, name string) (*httpsfv.Dictionary, Reason) {
	value, refusal := single(h, name)
	switch {
	case refusal != "":
		return nil, refusal
	case len(value) > MaxHeader:
		return nil, BadHeader
	}
	d, err := httpsfv.UnmarshalDictionary([]string{value})
	if err != nil {
		return nil, BadHeader
	}
	text, err := httpsfv.Marshal(d)
	if err != nil || noSpace.Replace(text) != noSpace.Replace(value) {
		return nil, BadHeader
	}
	return d, ""
}

var noSpace = strings.NewReplacer(" ", "", "\t", "")

// octets returns a member that is bytes, and nothing else.
func octets(m httpsfv.Member) ([]byte, bool) {
	item, ok := m.(httpsfv.Item)
	if !ok || len(item.Params.Names()) > 0 {
		return nil, false
	}
	b, ok := item.Value.([]byte)
	return b, ok
}
