package source

import (
	"maps"
	"slices"
	"strings"
)

// elsewhere is a path to where the body does have the value, or "". It is for
// people: nothing is read from there.
func (p path) elsewhere(doc any) string {
	for _, a := range p {
		if len(a.steps) == 0 {
			continue
		}
		for _, steps := range a.near(doc) {
			v, ok := walk(a.start(doc), steps)
			if _, list := v.([]any); ok && (list || isPlain(v) && says(v)) {
				return pathText(steps)
			}
		}
	}
	return ""
}

// near are the steps that people mistake these for: those of another wrapper, of
// none, and those through a list of {"name", "value"}.
func (a alternative) near(doc any) (all [][]step) {
	start := a.start(doc)
	if len(a.steps) > 1 {
		all = append(all, a.steps[1:])
	}
	for _, name := range wrappers(start) {
		first := []step{{name: name}}
		all = append(all, slices.Concat(first, a.steps))
		if len(a.steps) > 1 {
			all = append(all, slices.Concat(first, a.steps[1:]))
		}
	}
	for i, s := range a.steps {
		if at, ok := walk(start, a.steps[:i]); ok && s.name != "" {
			if _, list := at.([]any); list {
				all = append(all, slices.Concat(a.steps[:i], []step{{key: "name", value: s.name}, {name: "value"}}))
			}
		}
	}
	return all
}

// wrappers are the members that hold others, and whose names may stand in an
// error.
func wrappers(v any) (names []string) {
	members, _ := v.(map[string]any)
	if len(members) > maxNear {
		return nil
	}
	for _, name := range slices.Sorted(maps.Keys(members)) {
		if _, holds := members[name].(map[string]any); holds && isWord(name) {
			names = append(names, name)
		}
	}
	return names
}

// isWord accepts a name that is surely one: the text of an error may hold it.
func isWord(s string) bool {
	return s != "" && len(s) <= maxShown && strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") == ""
}
