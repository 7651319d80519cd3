package ingest

import (
	"fmt"
	"slices"

	"changerelay/internal/events"
)

const tenantField = "data.tenant"

// unasked are the intents of a source that names none. To restore everything undoes
// what others have removed, so a source must be given it by name.
var unasked = []events.Intent{events.Remove, events.Restore}

// forbidden is the error of an event that its source may not ask for.
type forbidden struct{ source, field, deed, item string }

// Error has none of the sender's words but a tenant's name, which is a token.
func (e *forbidden) Error() string { return fmt.Sprintf("source %s may not %s", e.source, e.deed) }

// told is what the sender may know besides. Changes are in order of their items,
// so the field's index alone may not be the sender's.
func (e *forbidden) told() string {
	const allow = "; have it allowed in the source's configuration"
	switch {
	case e.item != "":
		return e.Error() + ", as for item " + e.item + allow
	case e.field != tenantField:
		return e.Error() + allow
	}
	return e.Error()
}

// scope checks that the sender may ask for all the events. A tenant that it may
// speak for and that is not configured is no reason to refuse: a reload reaches
// replicas one after the other, the workers wait a while for the tenant, and what
// they give up can be replayed.
func scope(snd *sender, list []events.Event) error {
	for _, e := range list {
		if !slices.Contains(snd.Tenants, e.Tenant) && !slices.Contains(snd.Tenants, "*") {
			return &forbidden{snd.Name, tenantField, "speak for tenant " + e.Tenant, ""}
		}
		for i, c := range e.Changes {
			if err := snd.permits(fmt.Sprintf("data.changes[%d]", i), c); err != nil {
				return err
			}
		}
	}
	return nil
}

// unknown says what becomes of events whose tenant is not configured here, by
// tenant; nil if all are.
func (r *roster) unknown(list []events.Event) (why map[string]string) {
	for _, e := range list {
		if r.tenants[e.Tenant] {
			continue
		}
		if why == nil {
			why = map[string]string{}
		}
		why[e.Tenant] = "tenant " + e.Tenant + " is not in the configuration here; unless the workers have it within 10 minutes, the change ends invalid, and can be replayed when they do"
	}
	return why
}

func (snd *sender) permits(path string, c events.Change) error {
	intents := snd.Intents
	if intents == nil {
		intents = unasked
	}
	all := c.Intent == events.RestoreAll
	switch {
	case all && !slices.Contains(intents, c.Intent):
		return &forbidden{snd.Name, path + ".intent", "restore everything (restore_all)", ""}
	case all && snd.ItemTypes != nil:
		return &forbidden{snd.Name, path + ".intent", "restore everything, for it may not move items of every type", ""}
	case all:
		return nil
	case !slices.Contains(intents, c.Intent):
		return &forbidden{snd.Name, path + ".intent", string(c.Intent) + " anything", c.Item.ID}
	case snd.ItemTypes != nil && !slices.Contains(snd.ItemTypes, c.Item.Type):
		return &forbidden{snd.Name, path + ".item.type", "move items of type " + string(c.Item.Type), c.Item.ID}
	}
	return nil
}
