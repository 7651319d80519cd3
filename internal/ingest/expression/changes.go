package expression

import (
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"

	"changerelay/internal/events"
	"changerelay/internal/ingest/source"
)

// changes is what the expression that gives an intent for each item gave.
func (x *expression) changes(v ref.Val) ([]events.Change, error) {
	entries, err := x.list(v)
	if err != nil {
		return nil, err
	}
	changes := []events.Change{}
	for i, e := range entries {
		c, why := change(e)
		if why != "" {
			return nil, x.invalidAt(i, why)
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
		if texts[name], ok = plainText(v); !ok {
			return c, "has no text for its " + name
		}
	}
	if members.Size() != found {
		return c, "has a member that is not intent, id or type"
	}
	return source.NewChange(texts["intent"], texts["id"], texts["type"])
}
