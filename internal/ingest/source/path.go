package source

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// A path says where in a body a value is: names with dots between them, and in
// brackets the place in a list, or what an entry of the list must say:
//
//	issue.fields.customfield_10231
//	changes[0].id                                    the first entry
//	ticket.custom_fields[name=intune_device_id].value    the first entry that says so
//	["a.b"].c                                        a name that holds dots or brackets
//	fields.updated | fields.created                  the first that is not empty
//	action | =remove                                 a fixed text, after a = alone
//
// Names are taken to the letter, upper case and spaces too. A name cannot hold |.
type path []alternative

// An alternative has steps, or is fixed.
type alternative struct {
	text  string
	steps []step
}

// A step goes from a value to one inside it.
type step struct {
	name       string // of an object's member
	index      int    // in a list, if name is "" and key too
	key, value string // of the list's entry whose member key is value
}

// compilePath reads a path.
func compilePath(text string) (p path, err error) {
	for part := range strings.SplitSeq(text, "|") {
		a := alternative{text: strings.TrimSpace(part)}
		if a.steps, err = compileSteps(a.text); err != nil {
			return nil, fmt.Errorf("the path %q %w", text, err)
		}
		p = append(p, a)
	}
	return p, nil
}

func compileSteps(text string) (steps []step, err error) {
	switch text {
	case "":
		return nil, errors.New("is empty, or has an empty alternative")
	case "=":
		return nil, errors.New("has a = without the text that it stands for")
	}
	if text[0] == '=' {
		return nil, nil
	}
	for rest, first := text, true; rest != ""; first = false {
		var s step
		if s, rest, err = nextStep(rest, first); err != nil {
			return nil, err
		}
		steps = append(steps, s)
	}
	return steps, nil
}

// nextStep reads one step: a bracket, or a name, with a dot before it unless it
// is the first.
func nextStep(text string, first bool) (s step, rest string, err error) {
	if text[0] == '[' {
		return bracket(text)
	}
	if !first {
		after, dotted := strings.CutPrefix(text, ".")
		if !dotted {
			return s, "", errors.New("has a name right after a ]; put a dot between them")
		}
		if text = after; strings.HasPrefix(text, "[") {
			return s, "", errors.New("has a dot before a [; leave the dot out")
		}
	}
	n := strings.IndexAny(text, ".[")
	if n < 0 {
		n = len(text)
	}
	if n == 0 {
		return s, "", errors.New("has a dot without a name on both its sides")
	}
	return step{name: text[:n]}, text[n:], nil
}

// bracket reads [0], [name=value] or ["a.b"].
func bracket(text string) (s step, rest string, err error) {
	if strings.HasPrefix(text, `["`) {
		quoted, rest, ok := strings.Cut(text[2:], `"]`)
		if !ok || quoted == "" {
			return step{}, "", errors.New(`has a [" without a name and "]`)
		}
		return step{name: quoted}, rest, nil
	}
	inside, rest, ok := strings.Cut(text[1:], "]")
	if !ok {
		return step{}, "", errors.New("has a [ without its ]")
	}
	key, value, ok := strings.Cut(inside, "=")
	key, value = strings.TrimSpace(key), strings.TrimSpace(value)
	if ok && key != "" && value != "" {
		return step{key: key, value: value}, rest, nil
	}
	if s.index, err = strconv.Atoi(inside); err != nil || strconv.Itoa(s.index) != inside || s.index < 0 {
		return step{}, "", fmt.Errorf("has [%s]; want a place such as [0], or what an entry says, such as [name=device]", inside)
	}
	return s, rest, nil
}

// find returns the value of the first alternative that is there and says
// something. The name is that alternative's; if none says anything, that of the
// first one that is there at all, or of the first.
func (p path) find(doc any) (v any, name string, there bool) {
	for _, a := range p {
		found, ok := a.follow(doc)
		switch {
		case ok && says(found):
			return found, a.text, true
		case ok && !there:
			v, name, there = found, a.text, true
		}
	}
	if !there && len(p) > 0 {
		name = p[0].text
	}
	return v, name, there
}

func (a alternative) follow(v any) (found any, ok bool) {
	if a.steps == nil {
		return strings.TrimPrefix(a.text, "="), true
	}
	for _, s := range a.steps {
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
