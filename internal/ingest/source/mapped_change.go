package source

import (
	"strings"

	"changerelay/internal/events"
)

// NewChange makes a change of what an entry of changes says, "" for what it leaves
// out, or says why it is none.
func NewChange(intent, id, itemType string) (c events.Change, why string) {
	c.Intent = events.Intent(strings.ToLower(strings.TrimSpace(intent)))
	if c.Intent != events.Remove && c.Intent != events.Restore {
		return c, "want remove or restore as its intent"
	}
	c.Item = events.Item{ID: strings.TrimSpace(id), Type: typed(strings.TrimSpace(itemType))}
	return c, ""
}
