package source

import (
	"fmt"
	"strings"
	"unicode"

	"changerelay/internal/events"
)

// changes are one intent for each of the record's items.
func (r record) changes() ([]events.Change, error) {
	intent, err := r.intent()
	if err != nil {
		return nil, err
	}
	itemType, err := r.text(ItemType)
	if err != nil {
		return nil, err
	}
	ids, err := r.items()
	if err != nil {
		return nil, err
	}
	var changes []events.Change
	for _, id := range ids {
		changes = append(changes, events.Change{Intent: intent, Item: events.Item{ID: id, Type: typed(itemType)}})
	}
	return changes, nil
}

func (r record) intent() (events.Intent, error) {
	text, err := r.text(Intent)
	if err != nil {
		return "", err
	}
	switch {
	case text == "" || strings.EqualFold(text, string(events.Remove)):
		return events.Remove, nil
	case strings.EqualFold(text, string(events.Restore)):
		return events.Restore, nil
	}
	return "", invalid(r.name(Intent), "want remove or restore; empty is remove")
}

// items are the ids of a list, and those between separators.
func (r record) items() ([]string, error) {
	f := r.find(Items)
	list, ok := f.value.([]any)
	if !ok {
		list = []any{f.value}
	}
	var texts []string
	for i, e := range list {
		if why := notPlain(e); why != "" {
			if ok {
				return nil, invalid(fmt.Sprintf("%s[%d]", r.name(Items), i), why+"; the ids in a list of objects are for kind mapped to take")
			}
			return nil, invalid(r.name(Items), why)
		}
		texts = append(texts, words(e))
	}
	text := separated(strings.Join(texts, ","))
	if text == "" {
		return nil, r.missing(Items)
	}
	return r.split(text)
}

// separated puts commas where people separate ids: semicolons, and the line
// breaks of a multi-line field, with or without a comma before them.
func separated(text string) string {
	isBreak := func(c rune) bool { return c == '\n' || c == '\r' }
	lines := []string{}
	for line := range strings.FieldsFuncSeq(strings.ReplaceAll(text, ";", ","), isBreak) {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line)
		}
	}
	for i := range max(len(lines)-1, 0) {
		lines[i] = strings.TrimSuffix(lines[i], ",")
	}
	return strings.Join(lines, ",")
}

// split takes ids apart, and finds what events.New would call by another name.
func (r record) split(text string) ([]string, error) {
	if n := strings.Count(text, ",") + 1; n > events.MaxItems {
		return nil, invalid(r.name(Items), fmt.Sprintf("has %d ids; at most %d fit one device's set in Intune", n, events.MaxItems))
	}
	ids, seen := strings.Split(text, ","), map[string]int{}
	for i, id := range ids {
		id = strings.TrimSpace(id)
		ids[i] = id
		if why := refuseID(i+1, id); why != "" {
			return nil, invalid(r.name(Items), why)
		}
		if first, twice := seen[strings.ToLower(id)]; twice {
			return nil, invalid(r.name(Items), fmt.Sprintf("ids %d and %d of the list are the same; name each once", first, i+1))
		}
		seen[strings.ToLower(id)] = i + 1
	}
	return ids, nil
}

// refuseID says why the id at a place of a list is none, or "".
func refuseID(place int, id string) string {
	switch {
	case id == "":
		return fmt.Sprintf("id %d of the list is empty; remove it or add the id", place)
	case unset(id) != "":
		return unset(id)
	case strings.ContainsFunc(id, unicode.IsSpace):
		return fmt.Sprintf("id %d has a space in it; between several ids put commas, semicolons or line breaks", place)
	}
	return ""
}

// typed takes a type in any letters: choice lists are often all lower case.
func typed(s string) events.ItemType {
	if s == "" {
		return events.Application
	}
	for _, t := range events.ItemTypes {
		if strings.EqualFold(s, string(t)) {
			return t
		}
	}
	return events.ItemType(s)
}
