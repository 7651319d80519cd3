package source

import (
	"maps"
	"slices"
	"strings"

	"changerelay/internal/events"
)

// coveredHeaders are the headers that expressions see, by their lower-case names:
// those that something vouches for, and that are given once, for of two nobody
// knows which the sender's checks looked at. Those with credentials are left out
// always. What binary mode of CloudEvents encodes is decoded.
func coveredHeaders(v Delivery) (map[string]any, error) {
	found := map[string]any{}
	for _, key := range slices.Sorted(maps.Keys(v.Header)) {
		name, values := strings.ToLower(key), v.Header.Values(key) // of the canonical name: a header under another is none
		if v.Covers == nil || !v.Covers(name) || len(values) != 1 || isCredential(name) {
			continue
		}
		if !strings.HasPrefix(name, events.HeaderPrefix) {
			found[name] = values[0]
			continue
		}
		value, err := events.DecodeAttribute(values[0])
		if err != nil {
			return nil, invalid(name, err.Error())
		}
		found[name] = value
	}
	return found, nil
}

func isCredential(name string) bool {
	return slices.Contains([]string{"authorization", "proxy-authorization", "cookie"}, name)
}
