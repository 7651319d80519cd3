package ingest

import (
	"fmt"
	"slices"

	"changerelay/internal/events"
)

// forbidden is the error of an event that its source may not ask for.
type forbidden struct{ source, field, deed, item string }

// Error has none of the sender's words but a tenant's name, which is a token.
func (e *forbidden) Error() string { return fmt.Sprintf("source %s may not %s", e.source, e.deed) }

// told is what the sender may know besides. Changes are in order of their items,
// so the field's index alone may not be the sender's.
func (e *forbidden) told() string {
	if e.item == "" {
		return e.Error()
	}
	return fmt.Sprintf("%s, as for item %s; have it allowed in the source's configuration", e.Error(), e.item)
}

// scope checks that the sender may ask for all the events, and that we can do it.
func (r *roster) scope(snd *sender, list []events.Event) error {
	for _, e := range list {
		if !slices.Contains(snd.Tenants, e.Tenant) && !slices.Contains(snd.Tenants, "*") {
			return &forbidden{snd.Name, "data.tenant", "speak for tenant " + e.Tenant, ""}
		}
		if !r.tenants[e.Tenant] {
			return &events.InvalidError{Field: "data.tenant", Reason: fmt.Sprintf(
				"%q is not a configured tenant; correct its name, or have it added to the relay's configuration", e.Tenant)}
		}
		for i, c := range e.Changes {
			if err := snd.permits(fmt.Sprintf("data.changes[%d]", i), c); err != nil {
				return err
			}
		}
	}
	return nil
}

func (snd *sender) permits(path string, c events.Change) error {
	switch {
	case snd.Intents != nil && !slices.Contains(snd.Intents, c.Intent):
		return &forbidden{snd.Name, path + ".intent", string(c.Intent) + " anything", c.Item.ID}
	case snd.ItemTypes != nil && !slices.Contains(snd.ItemTypes, c.Item.Type):
		return &forbidden{snd.Name, path + ".item.type", "move items of type " + string(c.Item.Type), c.Item.ID}
	}
	return nil
}
