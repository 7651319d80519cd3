package stream

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"changerelay/internal/events"
)

// parkedFrom stands before a source's name in the origin of its parked bodies.
const parkedFrom = "webhook "

// A Parked body is what a verified sender sent and nothing can read.
type Parked struct {
	Source   string // that sent it: of a-z, 0-9 and -
	Delivery string // its delivery id, if it has one
	Reason   string // what is wrong with it
	Body     []byte
	At       time.Time
}

// Park stores the body as a dead letter of outcome invalid, under the source's
// name and the body's SHA-256, so that the same bytes of a source are kept once.
//
// The bytes are kept as they came. Of a body larger than the broker takes (its
// max_payload, 1 MiB by default, less ParkHeaders) only the head is; the letter
// has the size and the SHA-256 of the whole. Raise max_payload to keep more.
func (s *Streams) Park(ctx context.Context, p Parked) error {
	if strings.Trim(p.Source, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" || p.Source == "" {
		return fmt.Errorf("parking a body: source: %q is not one of a-z, 0-9 and -", p.Source)
	}
	sum := sha256.Sum256(p.Body)
	digest := hex.EncodeToString(sum[:])
	room := max(int(s.nc.MaxPayload())-ParkHeaders, 0)
	return s.Bury(ctx, DeadLetter{
		Subject: fmt.Sprintf("%s%s.unknown.%s-%s", events.DeadPrefix, events.Invalid, p.Source, digest),
		Origin:  parkedFrom + p.Source, Reason: p.Reason, At: p.At,
		Data: p.Body[:min(len(p.Body), room)], Delivery: p.Delivery, SHA256: digest, Size: len(p.Body),
	})
}
