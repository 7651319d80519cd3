package source

import (
	"fmt"
	"strings"
)

// Fields are the names of the columns that a ServiceNow business rule sends.
// An empty name is the default one.
type Fields struct {
	Ticket    string // number: what people call the ticket
	SysID     string // sys_id: what ServiceNow calls it
	ModCount  string // sys_mod_count: the record's version
	UpdatedOn string // sys_updated_on: when it got that version, UTC
	Approval  string // approval: must be "approved"
	Device    string // u_intune_device_id
	Apps      string // u_intune_app_id: one id or several with commas between them
	Action    string // u_assignment_action: remove, which is the default, or restore
	ItemType  string // u_item_type: application is the default
}

// withDefaults fills in the names that are not configured.
func (f Fields) withDefaults() Fields {
	for _, d := range []struct {
		field *string
		name  string
	}{
		{&f.Ticket, "number"}, {&f.SysID, "sys_id"}, {&f.ModCount, "sys_mod_count"},
		{&f.UpdatedOn, "sys_updated_on"}, {&f.Approval, "approval"}, {&f.Device, "u_intune_device_id"},
		{&f.Apps, "u_intune_app_id"}, {&f.Action, "u_assignment_action"}, {&f.ItemType, "u_item_type"},
	} {
		if *d.field == "" {
			*d.field = d.name
		}
	}
	return f
}

// check refuses two meanings for one column.
func (f Fields) check() error {
	seen := map[string]bool{}
	for _, name := range []string{f.Ticket, f.SysID, f.ModCount, f.UpdatedOn, f.Approval, f.Device, f.Apps, f.Action, f.ItemType} {
		if seen[name] {
			return fmt.Errorf("fields: column %q is given two meanings", name)
		}
		seen[name] = true
	}
	return nil
}

// column translates the path of an event's field to the column that it came from.
func (f Fields) column(path string) string {
	switch {
	case path == "id":
		return f.SysID
	case path == "subject":
		return f.Ticket
	case path == "time":
		return f.UpdatedOn
	case path == "data.device":
		return f.Device
	case strings.HasSuffix(path, ".item.type"):
		return f.ItemType
	case strings.HasSuffix(path, ".intent"):
		return f.Action
	case strings.HasPrefix(path, "data.changes"):
		return f.Apps
	}
	return path // of source and tenant, which are configuration and not the sender's
}
