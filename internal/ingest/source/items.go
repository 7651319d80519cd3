package source

import (
	"fmt"
	"strings"

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

// items are the ids of a list, and those between commas.
func (r record) items() ([]string, error) {
	v, _ := r.value(Items)
	list, ok := v.([]any)
	if !ok {
		list = []any{v}
	}
	var texts []string
	for i, e := range list {
		if _, isBool := e.(bool); isBool || !isPlain(e) {
			name := r.name(Items)
			if ok {
				name = fmt.Sprintf("%s[%d]", name, i)
			}
			return nil, invalid(name, "want an item's id, or several with commas between them")
		}
		texts = append(texts, words(e))
	}
	return r.split(strings.Join(texts, ","))
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
		if id == "" && len(ids) > 1 {
			return nil, invalid(r.name(Items), fmt.Sprintf("id %d of the list is empty; remove it or add the id", i+1))
		}
		if why := unset(id); why != "" {
			return nil, invalid(r.name(Items), why)
		}
		if first, twice := seen[strings.ToLower(id)]; twice {
			return nil, invalid(r.name(Items), fmt.Sprintf("ids %d and %d of the list are the same; name each once", first, i+1))
		}
		seen[strings.ToLower(id)] = i + 1
	}
	return ids, nil
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
