package verify

import (
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"strings"
	"time"
)

// MinSecret is the shortest static secret that New takes, in bytes: some systems
// have no room for more. Shorter ones can be guessed.
const MinSecret = 8

// newStatic compiles static secrets. They are kept and compared as digests, so
// that neither their bytes nor their length show in the time.
func newStatic(keys []Key, least int, whole func(secret string) string) ([]key, error) {
	ring, err := newKeys(keys, func(secret string) ([]byte, error) {
		switch {
		case strings.TrimSpace(secret) == "":
			return nil, errors.New("is empty")
		case strings.TrimSpace(secret) != secret:
			return nil, errors.New("starts or ends with a space or a line break; remove it")
		case len(secret) < least:
			return nil, fmt.Errorf("is shorter than %d bytes, and could be guessed; make one with: openssl rand -hex 32", least)
		}
		return digest(whole(secret)), nil
	})
	for i := range ring {
		ring[i].weak = len(keys[i].Secret) < GoodSecret
	}
	return ring, err
}

func itself(secret string) string { return secret }

func digest(s string) []byte {
	sum := sha256.Sum256([]byte(s))
	return sum[:]
}

// chooseStatic returns the id of the key that a presented secret is.
func chooseStatic(ring []key, now time.Time, presented string) (id string, refusal Reason) {
	sum := digest(presented)
	return choose(ring, now, BadSecret, func(i int) int { return subtle.ConstantTimeCompare(sum, ring[i].bytes) })
}

// letIn is the outcome of a check of static secrets. The secret was compared
// even when the request was refused before.
func letIn(name, id string, refusal, mismatch Reason) (Delivery, Reason) {
	switch {
	case refusal == "" && mismatch == InactiveKey:
		return outOf(name, id)
	case refusal == "":
		refusal = mismatch
	}
	if refusal != "" {
		return Delivery{}, refusal
	}
	return Delivery{Uses: []Use{{name, id}}}, ""
}
