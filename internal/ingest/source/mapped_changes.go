package source

import (
	"fmt"
	"strings"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"

	"changerelay/internal/events"
)

// changes runs the expression that gives an intent for each item.
func (r mappedRecord) changes(x *expression) ([]events.Change, error) {
	entries, err := r.eval.list(x)
	if err != nil {
		return nil, err
	}
	changes := []events.Change{}
	for i, e := range entries {
		c, why := change(e)
		if why != "" {
			return nil, invalid(fmt.Sprintf("%s[%d]", mapField(Changes), i), why)
		}
		changes = append(changes, c)
	}
	return changes, nil
}

// change reads {"intent", "id", "type"}, or says why it is not that.
func change(v ref.Val) (c events.Change, why string) {
	members, ok := v.(traits.Mapper)
	if !ok {
		return c, `want {"intent": "remove", "id": "...", "type": "application"}`
	}
	texts, found := map[string]string{}, types.Int(0)
	for _, name := range []string{"intent", "id", "type"} {
		v, there := members.Find(types.String(name))
		if !there {
			continue
		}
		found++
		text, ok := plainText(v)
		if !ok {
			return c, "has no text for its " + name
		}
		texts[name] = strings.TrimSpace(text)
	}
	intent := events.Intent(strings.ToLower(texts["intent"]))
	switch {
	case members.Size() != found:
		return c, "has a member that is not intent, id or type"
	case intent != events.Remove && intent != events.Restore:
		return c, "want remove or restore as its intent"
	}
	return events.Change{Intent: intent, Item: events.Item{ID: texts["id"], Type: typed(texts["type"])}}, ""
}
