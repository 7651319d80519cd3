package verify

import (
	"crypto/subtle"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// maxKeyID is the longest id of a key, in bytes: senders choose the keyid of RFC
// 9421, and some choose a URL.
const maxKeyID = 128

// GoodSecret is how long a secret should be, in bytes; Warnings has those that
// are shorter. Who captures one signed request can try short keys of an HMAC on
// it, as fast as his machines are.
const GoodSecret = 16

// A key is a Key, compiled.
type key struct {
	id                  string
	notBefore, notAfter time.Time
	bytes               []byte // of the secret in the form that its check compares
	weak                bool   // the secret is short
}

// newKeys compiles the keys of a check; decode reads a secret of its form. A
// key without an id is named by its index.
func newKeys(keys []Key, decode func(secret string) ([]byte, error)) (ring []key, err error) {
	for i, k := range keys {
		c := key{id: k.ID, notBefore: k.NotBefore, notAfter: k.NotAfter}
		if c.id == "" {
			c.id = strconv.Itoa(i)
		}
		if c.bytes, err = decode(k.Secret); err != nil {
			return nil, fmt.Errorf("keys[%d].secret: %w", i, err)
		}
		if err := c.check(ring); err != nil {
			return nil, fmt.Errorf("keys[%d].%w", i, err)
		}
		ring = append(ring, c)
	}
	if len(ring) == 0 {
		return nil, errors.New("keys: there is none, and nothing is accepted unverified")
	}
	return ring, nil
}

// check compares a key with those before it.
func (k key) check(others []key) error {
	switch {
	case len(k.id) > maxKeyID || !isID(k.id) || strings.ContainsAny(k.id, "\"\\"):
		return fmt.Errorf("id: want 1 to %d of ASCII without spaces, quotes and backslashes", maxKeyID)
	case slices.ContainsFunc(others, func(o key) bool { return o.id == k.id }):
		return fmt.Errorf("id: another key of this check is %q too", k.id)
	case slices.ContainsFunc(others, func(o key) bool { return string(o.bytes) == string(k.bytes) }):
		return errors.New("secret: is listed twice")
	case !k.notAfter.IsZero() && k.notAfter.Before(k.notBefore):
		return errors.New("not_after: is before not_before, so that the key is never good")
	}
	return nil
}

// active reports whether the key is good, its first and last moments included.
func (k key) active(now time.Time) bool {
	return !now.Before(k.notBefore) && (k.notAfter.IsZero() || !now.After(k.notAfter))
}

// choose returns the id of an active key that fits, 1 meaning that it does, and
// with InactiveKey that of one that is past its time. It asks all keys, without
// early exit, so that its time does not tell which one fits; mismatch is the
// reason when none does.
func choose(ring []key, now time.Time, mismatch Reason, fits func(i int) int) (id string, refusal Reason) {
	found, stale := -1, -1
	for i, k := range ring {
		active := 0
		if k.active(now) {
			active = 1
		}
		fit := fits(i)
		found = subtle.ConstantTimeSelect(fit&active, i, found)
		stale = subtle.ConstantTimeSelect(fit&(1-active), i, stale)
	}
	switch {
	case found >= 0:
		return ring[found].id, ""
	case stale >= 0 && ring[stale].past(now):
		return ring[stale].id, InactiveKey
	case stale >= 0:
		return "", InactiveKey
	}
	return "", mismatch
}

// past reports whether the key was good, and is no more.
func (k key) past(now time.Time) bool { return !k.notAfter.IsZero() && now.After(k.notAfter) }

// outOf is the refusal of a request that is right but for its key, which is the one
// that choose has named: past its time, or not good yet if it named none.
func outOf(check, id string) (Delivery, Reason) {
	if id == "" {
		return Delivery{}, InactiveKey
	}
	return Delivery{Expired: []Use{{check, id}}}, InactiveKey
}

// ends is when keys stop being good, by id, of those that do.
func ends(ring []key) map[string]time.Time {
	by := map[string]time.Time{}
	for _, k := range ring {
		if !k.notAfter.IsZero() {
			by[k.id] = k.notAfter
		}
	}
	return by
}

func ids(ring []key) (list []string) {
	for _, k := range ring {
		list = append(list, k.id)
	}
	return list
}

// weakKeys says which keys are short.
func weakKeys(ring []key) (why []string) {
	for _, k := range ring {
		if k.weak {
			why = append(why, fmt.Sprintf("key %s is shorter than %d bytes, and could be guessed; make one with: openssl rand -hex 32", k.id, GoodSecret))
		}
	}
	return why
}
