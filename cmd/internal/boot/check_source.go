package boot

import (
	"fmt"
	"reflect"
	"slices"

	"changerelay/internal/ingest"
	"changerelay/internal/ingest/source"
)

func entry(path string, i int) string { return fmt.Sprintf("%s[%d]", path, i) }

func (d *decoder) checkSource(name string, s Source, c *Config) {
	at := "sources." + name
	d.name(at, name)
	if name == "unknown" {
		d.bad(at, "want another name: in metrics it stands for senders that are not known")
	}
	d.oneOf(at+".kind", s.Kind, source.Kinds())
	d.checkScope(at, s, c.Tenants)
	d.rate(at+".rate", s.Rate)
	d.within(at+".max_body", s.MaxBody, 1, ingest.MaxBody)
	d.checkHandshake(at+".handshake", s.Handshake)
	d.checkChecks(at, s)
	if s.Certificate != nil && (c.Ingest.TLS == nil || c.Ingest.TLS.ClientCAFile == "") {
		d.bad(at+".certificate", "needs ingest.tls.client_ca_file: nothing else says whose certificates are good")
	}
	if slices.Contains(source.Kinds(), s.Kind) { // else nobody can say
		d.checkDecoder(at, name, s)
	}
}

// checkScope keeps a leaked secret from reaching further than it must.
func (d *decoder) checkScope(at string, s Source, tenants map[string]Tenant) {
	for i, word := range s.Intents {
		d.oneOf(entry(at+".intents", i), word, intents)
	}
	for i, word := range s.ItemTypes {
		d.oneOf(entry(at+".item_types", i), word, itemTypes)
	}
	if len(s.Tenants) == 0 {
		d.bad(at+".tenants", "is missing; list the tenants that this source may change")
	}
	if len(s.Tenants) == 1 && s.Tenants[0] == "*" {
		return
	}
	for i, name := range s.Tenants {
		item := entry(at+".tenants", i)
		if _, ok := tenants[name]; !ok {
			d.bad(item, "there is no tenants.%s in this file", name)
		}
		if slices.Index(s.Tenants, name) < i {
			d.bad(item, "is listed twice")
		}
	}
}

func (d *decoder) checkHandshake(at string, h *Handshake) {
	if h == nil {
		return
	}
	d.oneOf(at+".kind", h.Kind, handshakes)
	switch listed := h.Kind == "cloudevents" || h.Kind == "eventgrid"; {
	case listed && len(h.Allow) == 0:
		d.bad(at+".allow", "is missing; list the %s that may ask", map[string]string{"cloudevents": "origins", "eventgrid": "subscriptions"}[h.Kind])
	case !listed && len(h.Allow) > 0 && slices.Contains(handshakes, h.Kind):
		d.bad(at+".allow", "is for the handshakes cloudevents and eventgrid only")
	}
}

// checkDecoder asks the decoder, which is the one home of what a kind may be
// told, and finds the places in this file of the fields that it names.
func (d *decoder) checkDecoder(at, name string, s Source) {
	known := len(d.mistakes)
	if s.Kind == "cloudevents" && len(s.Fields)+len(s.Approved) > 0 {
		d.bad(at+".fields", "a CloudEvent has its own fields and is an approval; for other events there is kind mapped")
	}
	d.meanings(at+".fields.", s.Fields, source.Meanings)
	if s.Kind == "mapped" {
		d.meanings(at+".map.", s.Map, append([]string{source.Approval}, source.MapMeanings...)) // the decoder says why not approval
	}
	if len(d.mistakes) > known {
		return // it would name one of them again
	}
	_, err := s.Decoder(name)
	for _, line := range each(err) {
		if field, reason, ok := cutField(line, reflect.TypeFor[Source]()); ok {
			d.bad(at+"."+field, "%s", reason)
		} else {
			d.bad(at, "%s", line)
		}
	}
}

func (d *decoder) meanings(at string, given map[string]string, allowed []string) {
	for meaning := range given {
		if !slices.Contains(allowed, meaning) {
			d.bad(at+meaning, "%s", unknownKey(meaning, allowed))
		}
	}
}
