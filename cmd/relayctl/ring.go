package main

import (
	"slices"
	"strconv"
	"time"

	"changerelay/internal/ingest/verify"
)

// A ring is the keys of one check.
type ring struct {
	check string
	keys  []verify.Key
}

// rings are the keys of a source, named as metrics name them.
func rings(c verify.Config) (rs []ring) {
	add := func(check string, keys []verify.Key) {
		keys = slices.Clone(keys)
		for i := range keys {
			if keys[i].ID == "" {
				keys[i].ID = strconv.Itoa(i)
			}
		}
		rs = append(rs, ring{check, keys})
	}
	if c.Signature != nil {
		add("signature", c.Signature.Keys)
	}
	if c.HTTPSignature != nil {
		var keys []verify.Key
		for _, k := range c.HTTPSignature.Keys {
			keys = append(keys, k.Key)
		}
		add("http_signature", keys)
	}
	if c.SNS != nil {
		add("sns", c.SNS.Keys)
	}
	if c.Header != nil {
		add("header", c.Header.Keys)
	}
	if c.Basic != nil {
		add("basic", c.Basic.Keys)
	}
	if c.ClientState != nil {
		add("client_state", c.ClientState.Keys)
	}
	return rs
}

// validity says when a key is good.
func validity(k verify.Key, now time.Time) string {
	switch {
	case now.Before(k.NotBefore):
		return "not yet, from " + stamp(k.NotBefore, now)
	case k.NotAfter.IsZero():
		return "good"
	case now.After(k.NotAfter):
		return "expired " + stamp(k.NotAfter, now)
	}
	return "until " + stamp(k.NotAfter, now)
}

// active reports whether a key of the check is good.
func (r ring) active(now time.Time) bool {
	return slices.ContainsFunc(r.keys, func(k verify.Key) bool { return active(k, now) })
}

// active reports whether a key is good, its first and last moments included.
func active(k verify.Key, now time.Time) bool {
	return !now.Before(k.NotBefore) && (k.NotAfter.IsZero() || !now.After(k.NotAfter))
}
