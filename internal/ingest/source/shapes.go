package source

import (
	"changerelay/internal/events"
)

// shapes is the Decoder of a system that sends its records in several forms.
type shapes struct {
	forms []formDecoder
	which func(doc any) (i int, err error) // by strict rules: a body fits one
}

func (s shapes) Accepts(mediaType string) bool { return s.forms[0].Accepts(mediaType) }

func (s shapes) Decode(v Delivery) (Decoded, error) {
	doc, err := events.JSON(v.Body, "body", MaxDepth)
	if err != nil {
		return Decoded{}, err
	}
	i, err := s.which(doc)
	if err != nil {
		return Decoded{}, err
	}
	return s.forms[i].decode(doc, v)
}

// memberOf follows names into doc; nil if it does not have them.
func memberOf(doc any, names ...string) any {
	for _, name := range names {
		m, _ := doc.(map[string]any)
		doc = m[name]
	}
	return doc
}
