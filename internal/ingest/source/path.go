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
	text  string // as people know it
	root  string // the member of the document that it starts in; "": the document
	steps []step
}

// fixed is the text of an alternative that is fixed.
func (a alternative) fixed() (text string, ok bool) {
	return strings.TrimPrefix(a.text, "="), a.steps == nil
}

// A step goes from a value to one inside it.
type step struct {
	name       string // of an object's member
	index      int    // in a list, if name is "" and key too
	key, value string // of the list's entry whose member key is value
}

// String is the step as a path has it.
func (s step) String() string {
	switch {
	case s.key != "":
		return "[" + s.key + "=" + s.value + "]"
	case s.name == "":
		return "[" + strconv.Itoa(s.index) + "]"
	case strings.ContainsAny(s.name, ".[") || s.name[0] == '=':
		return `["` + s.name + `"]`
	}
	return s.name
}

// pathText is the path that has the steps.
func pathText(steps []step) string {
	var b strings.Builder
	for _, s := range steps {
		text := s.String()
		if b.Len() > 0 && text[0] != '[' {
			b.WriteByte('.')
		}
		b.WriteString(text)
	}
	return b.String()
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
	if err := foreignNotation(text); err != nil {
		return nil, err
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
	if err := foreignBracket(inside); err != nil {
		return step{}, "", err
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
