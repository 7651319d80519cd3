package source

import (
	"slices"
	"strings"
)

// A found is what a path leads to.
type found struct {
	value any
	at    alternative // the first that says something, or the first that is there, or the first
	there bool
}

// find returns the value of the first alternative that is there and says
// something; if none does, that of the first one that is there at all.
func (p path) find(doc any) (f found) {
	for _, a := range p {
		v, ok := a.follow(doc)
		switch {
		case ok && says(v):
			return found{v, a, true}
		case ok && !f.there:
			f = found{v, a, true}
		}
	}
	if !f.there && len(p) > 0 {
		f.at = p[0]
	}
	return f
}

func (a alternative) follow(doc any) (v any, ok bool) {
	if text, fixed := a.fixed(); fixed {
		return text, true
	}
	return walk(a.start(doc), a.steps)
}

// start is the value that the first step goes into.
func (a alternative) start(doc any) any {
	if a.root == "" {
		return doc
	}
	return memberOf(doc, a.root)
}

// beside is the member of that name of the object that holds the value.
func (a alternative) beside(doc any, name string) (v any, ok bool) {
	if len(a.steps) == 0 {
		return nil, false
	}
	return walk(a.start(doc), append(slices.Clone(a.steps[:len(a.steps)-1]), step{name: name}))
}

func walk(v any, steps []step) (found any, ok bool) {
	for _, s := range steps {
		switch at := v.(type) {
		case map[string]any:
			v, ok = at[s.name]
			ok = ok && s.name != "" // "" is a step into a list
		case []any:
			v, ok = s.entry(at)
		default:
			return nil, false
		}
		if !ok {
			return nil, false
		}
	}
	return v, true
}

// entry is the list's entry that the step means.
func (s step) entry(list []any) (any, bool) {
	switch {
	case s.name != "" || s.key == "" && s.index >= len(list):
		return nil, false
	case s.key == "":
		return list[s.index], true
	}
	for _, e := range list {
		if m, ok := e.(map[string]any); ok && strings.TrimSpace(words(m[s.key])) == s.value {
			return e, true
		}
	}
	return nil, false
}
