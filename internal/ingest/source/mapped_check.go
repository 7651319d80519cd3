package source

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// checkMapped refuses a configuration that cannot be meant, or that would take
// any request for an approval.
func checkMapped(c Config) error {
	for _, meaning := range slices.Sorted(maps.Keys(c.Map)) {
		_, both := c.Fields[meaning]
		switch {
		case meaning == Approval:
			return errors.New("map.approval: is called when, and is true or false")
		case !slices.Contains(MapMeanings, meaning):
			return fmt.Errorf("map.%s: is not a meaning; want one of %s", meaning, strings.Join(MapMeanings, ", "))
		case both:
			return fmt.Errorf("map.%s: is under fields too; give one of them", meaning)
		}
	}
	has := func(meaning string) bool { return c.Map[meaning] != "" || c.Fields[meaning] != "" }
	for _, meaning := range []string{Ticket, Device} {
		if !has(meaning) {
			return fmt.Errorf("map.%s: is needed: an expression such as record.%[1]s, or a path under fields", meaning)
		}
	}
	switch {
	case has(When) == has(Approval):
		return errors.New(`map.when: want either this, such as record.status == "approved", or a path in fields.approval; "true" if all requests are approvals`)
	case has(When) && c.Approved != nil:
		return errors.New("approved: is for a path in fields.approval; have map.when compare with these words, or leave them out")
	case has(Items) == has(Changes):
		return errors.New("map.items: want either this, or map.changes, or a path in fields.items")
	case has(Changes) && (has(Intent) || has(ItemType)):
		return errors.New("map.changes: has the intent and the type of each item in it; remove intent and item_type")
	}
	return nil
}
