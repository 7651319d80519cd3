// Package conform holds a document against a JSON Schema. It is apart from
// package boot because the validator's module takes 2 MB of memory in every
// program that links it, and only relayctl's linter needs it.
package conform

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
)

// Check calls found for each rule of the schema (draft 2020-12, whole: it may
// load nothing) that the document breaks, with the place as a JSON pointer (RFC
// 6901). It says nothing of the document itself: somebody may have pasted a
// secret there. Its error is that the schema is none.
func Check(schema []byte, doc any, found func(pointer, rule string)) error {
	s, err := compile(schema)
	if err != nil {
		return fmt.Errorf("reading the schema: %w", err)
	}
	err = s.Validate(doc)
	if e, ok := err.(*jsonschema.ValidationError); ok {
		for _, v := range innermost(e) {
			found(v.pointer, v.rule)
		}
		return nil
	}
	return err
}

func compile(schema []byte) (*jsonschema.Schema, error) {
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(schema))
	if err != nil {
		return nil, err
	}
	const name = "urn:changerelay:schema"
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	c.UseLoader(jsonschema.SchemeURLLoader{})
	if err := c.AddResource(name, doc); err != nil {
		return nil, err
	}
	return c.Compile(name)
}

// A violation says what a rule is not content with.
type violation struct{ pointer, rule string }

// innermost takes the causes. Those below a choice are of forms that were not
// meant.
func innermost(e *jsonschema.ValidationError) (found []violation) {
	at := pointer(e.InstanceLocation...)
	switch k := e.ErrorKind.(type) {
	case *kind.Required:
		return members(at, k.Missing, "is required")
	case *kind.AdditionalProperties:
		return members(at, k.Properties, "is no key here")
	case *kind.AnyOf, *kind.OneOf:
	default:
		for _, cause := range e.Causes {
			found = append(found, innermost(cause)...)
		}
	}
	if len(found) == 0 {
		found = []violation{{at, strings.Join(e.ErrorKind.KeywordPath(), "/")}}
	}
	return found
}

func members(at string, names []string, rule string) (found []violation) {
	for _, name := range names {
		found = append(found, violation{at + pointer(name), rule})
	}
	return found
}

func pointer(tokens ...string) string {
	var b strings.Builder
	for _, t := range tokens {
		b.WriteString("/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(t))
	}
	return b.String()
}
