package main

import (
	"cmp"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"changerelay/internal/events"
)

// eventSource is the CloudEvents source of the events that are made here.
const eventSource = "/relayctl"

// wish is an event, as flags say it.
type wish struct {
	Tenant     string `placeholder:"NAME" help:"Tenant, as the relay's configuration names it."`
	Device     string `placeholder:"ID" help:"Intune device id."`
	Target     string `placeholder:"ROUTE" help:"In place of --device: another of Graph's routes to it, such as comanagedDevices/ID."`
	Ticket     string `placeholder:"NUMBER" help:"The approved ticket, such as CHG0031337."`
	Remove     []item `sep:"none" placeholder:"ITEM[:TYPE]" help:"Item to remove; once for each. TYPE is application (if left out), deviceConfiguration, deviceManagementConfigurationPolicy or mobileAppConfiguration."`
	Restore    []item `sep:"none" placeholder:"ITEM[:TYPE]" help:"Item to restore; once for each."`
	RestoreAll bool   `help:"Restore everything on the device, whoever removed it, in place of --remove and --restore; the source and the tenant must allow it."`
	ID         string `placeholder:"ID" help:"Id of the request, to repeat one; a new one if left out."`
	Time       string `placeholder:"TIME" help:"When it was approved, such as 2026-11-23T10:00:00Z; now if left out."`
}

// item is an events.Item as it is typed: ITEM or ITEM:TYPE.
type item events.Item

// UnmarshalText is called by the command line's parser.
func (i *item) UnmarshalText(b []byte) error {
	id, kind := string(b), string(events.Application)
	if at := strings.LastIndexByte(id, ':'); at >= 0 {
		id, kind = id[:at], id[at+1:]
	}
	n := slices.IndexFunc(events.ItemTypes, func(t events.ItemType) bool { return strings.EqualFold(string(t), kind) })
	if n < 0 {
		var names []string
		for _, t := range events.ItemTypes {
			names = append(names, string(t))
		}
		return fmt.Errorf("%q is not an item type; want ITEM:TYPE with one of %s", clean(kind), strings.Join(names, ", "))
	}
	*i = item{ID: id, Type: events.ItemTypes[n]}
	return nil
}

func (w wish) empty() bool {
	return cmp.Or(w.Tenant, w.Device, w.Target, w.Ticket, w.ID, w.Time) == "" && len(w.Remove)+len(w.Restore) == 0 && !w.RestoreAll
}

// missing names the flags without which there is no event.
func (w wish) missing() (flags []string) {
	for _, f := range []struct{ flag, value string }{{"--tenant", w.Tenant}, {"--device", w.Device + w.Target}, {"--ticket", w.Ticket}} {
		if f.value == "" {
			flags = append(flags, f.flag)
		}
	}
	if len(w.Remove)+len(w.Restore) == 0 && !w.RestoreAll {
		flags = append(flags, "--remove or --restore")
	}
	return flags
}

// event makes the event. One without an id gets a new one, and so will another
// one of the same flags: it may be meant as a newer word.
func (w wish) event(now time.Time) (events.Event, error) {
	e := events.Event{ID: cmp.Or(w.ID, strings.ToLower(rand.Text())), Source: eventSource, Ticket: w.Ticket,
		Tenant: w.Tenant, Device: w.Device, Target: events.Target(w.Target), Time: now.Truncate(time.Millisecond)}
	if w.Time != "" {
		at, err := time.Parse(time.RFC3339Nano, w.Time)
		if err != nil {
			return e, fmt.Errorf("--time: %q is not a time; write it like 2026-11-23T10:00:00Z", clean(w.Time))
		}
		e.Time = at
	}
	for _, i := range w.Remove {
		e.Changes = append(e.Changes, events.Change{Intent: events.Remove, Item: events.Item(i)})
	}
	for _, i := range w.Restore {
		e.Changes = append(e.Changes, events.Change{Intent: events.Restore, Item: events.Item(i)})
	}
	if w.RestoreAll {
		e.Changes = append(e.Changes, events.Change{Intent: events.RestoreAll})
	}
	made, err := events.New(e, now)
	if bad := (*events.InvalidError)(nil); errors.As(err, &bad) {
		return e, fmt.Errorf("%s: %s", flagOf(bad.Field), bad.Reason)
	}
	return made, err
}

// flagOf is the flag that an event's field comes from.
func flagOf(field string) string {
	flags := map[string]string{"id": "--id", "time": "--time", "subject": "--ticket", "data.tenant": "--tenant", "data.device": "--device", "data.target": "--target"}
	if f, ok := flags[field]; ok {
		return f
	}
	return "--remove, --restore, --restore-all: " + field
}
