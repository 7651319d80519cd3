package main

import (
	"net/http"
	"slices"
	"strings"

	"changerelay/internal/ingest/verify"
)

// lacking are the headers that a source's checks read and a request does not have,
// as they are spelled in a request.
func lacking(c verify.Config, h http.Header) (names []string) {
	for _, name := range headersOf(c) {
		if values := h.Values(name); len(values) == 0 || values[0] == "" {
			names = append(names, http.CanonicalHeaderKey(name))
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// headersOf are the headers without which no request passes the checks.
func headersOf(c verify.Config) (names []string) {
	if s := c.Signature; s != nil {
		names = append(names, s.Scheme.Header)
		if strings.Contains(s.Scheme.Signed, "{id}") {
			names = append(names, s.Scheme.IDHeader)
		}
		if s.Scheme.TimestampHeader != "" {
			names = append(names, s.Scheme.TimestampHeader)
		}
	}
	if s := c.HTTPSignature; s != nil {
		names = append(names, "Signature", "Signature-Input")
		components := s.Components
		if components == nil {
			components = verify.DefaultComponents
		}
		for _, name := range components {
			if !strings.HasPrefix(name, "@") {
				names = append(names, name)
			}
		}
	}
	if c.Bearer != nil || c.Basic != nil {
		names = append(names, "Authorization")
	}
	if c.Header != nil {
		names = append(names, c.Header.Name)
	}
	return names
}

// telling are parts of the names of headers that say who sends.
var telling = []string{"sign", "hmac", "auth", "token", "secret", "webhook", "timestamp", "digest"}

// similar are the request's headers that may be meant in place of what it lacks,
// each with the presets that sign in it. Values are secrets, and left out.
func similar(c verify.Config, h http.Header) (names []string) {
	read := headersOf(c)
	for name := range h {
		wanted := slices.ContainsFunc(read, func(r string) bool { return strings.EqualFold(r, name) })
		tells := slices.ContainsFunc(telling, func(part string) bool { return strings.Contains(strings.ToLower(name), part) })
		if tells && !wanted {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// presetsOf names the presets whose signature is in a header.
func presetsOf(header string) (names []string) {
	for _, name := range verify.Presets() {
		if s, _ := verify.Preset(name); strings.EqualFold(s.Header, header) {
			names = append(names, name)
		}
	}
	return names
}

// clue says of the request's headers what the reason missing_header leaves open.
type clue struct{ missing, similar []string }

func clueOf(reason verify.Reason, c verify.Config, h http.Header) clue {
	if reason != verify.MissingHeader {
		return clue{}
	}
	return clue{lacking(c, h), similar(c, h)}
}

func (c clue) print(t *table) {
	if len(c.missing) == 0 {
		return
	}
	t.row("missing", strings.Join(c.missing, ", "))
	var have []string
	for _, name := range c.similar {
		if presets := presetsOf(name); presets != nil {
			name += " (preset " + strings.Join(presets, " or ") + ")"
		}
		have = append(have, name)
	}
	if have == nil {
		have = []string{"no header that looks like one"}
	}
	t.row("it has", strings.Join(have, ", "))
}
