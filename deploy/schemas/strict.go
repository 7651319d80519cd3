package main

import (
	"maps"
	"strings"
)

// strict is a schema without its prose that refuses unknown fields. OpenAPI's words
// that JSON Schema does not have are replaced.
func strict(s schema) schema {
	out := schema{}
	for key, v := range s {
		switch {
		case key == "description", key == "default", strings.HasPrefix(key, "x-kubernetes-"):
		case key == "$ref":
			out[key] = shared + v.(string)
		case key == "properties":
			props := schema{}
			for name, inner := range v.(schema) {
				props[name] = strict(inner.(schema))
			}
			out[key] = props
		default:
			out[key] = within(v)
		}
	}
	if _, ok := out["properties"]; ok && out["additionalProperties"] == nil && s["x-kubernetes-preserve-unknown-fields"] != true {
		out["additionalProperties"] = false
	}
	return either(s, out)
}

func within(v any) any {
	switch x := v.(type) {
	case schema:
		return strict(x)
	case []any:
		list := make([]any, len(x))
		for i, inner := range x {
			list[i] = within(inner)
		}
		return list
	}
	return v
}

// either allows what OpenAPI says by a format: a number where text is expected.
func either(s, out schema) schema {
	if s["format"] == "int-or-string" || s["x-kubernetes-int-or-string"] == true {
		out = maps.Clone(out)
		delete(out, "format")
		delete(out, "anyOf")
		out["type"] = []string{"string", "integer"}
	}
	if s["format"] == "quantity" || isQuantity(s) {
		out["type"] = []string{"string", "number"}
	}
	return out
}

// isQuantity knows Kubernetes' Quantity by its prose: it has no format.
func isQuantity(s schema) bool {
	text, _ := s["description"].(string)
	return strings.HasPrefix(text, "Quantity is a fixed-point representation")
}
