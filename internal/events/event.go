// Package events is the vocabulary of changerelay and its wire contract.
//
// An Event is one approved ticket's wish for one managed device: the items to
// remove from it or to restore to it. On the wire it is a CloudEvents 1.0
// message in structured JSON mode, of type "changerelay.change.v1", or in binary
// mode, with its attributes in headers. Whoever brings it, a webhook or another
// service straight over NATS, it passes the one strict parser here, and from then
// on its ids are canonical lower case: otherwise one device would have two
// documents.
//
//	bytes ──Parse──► Event ──Encode──► bytes       (canonical: same event, same bytes)
//	headers + bytes ──ParseBinary──► Event         (as Parse of it in structured mode)
//	message ──FromMessage──► Event                 (either mode; the subject must agree)
//	Event ──Ref────► tenant.device.key             (its public id)
//	Event ──Subject► changes.v1.tenant.device.key.ticket
//
// An event may name its device by another of Graph's routes (Target). Until it is
// known which device that is, its id and subject have the ticket's token in the
// device's place: tenant.ticket.key and targets.v1.tenant.ticket.key.
//
// The package knows nothing of HTTP, NATS or Graph.
package events

import (
	"crypto/sha256"
	"time"
)

// Type is the CloudEvents type of a change event.
const Type = "changerelay.change.v1"

// Bounds of an event. The item bounds are those of Graph's
// deviceAssignmentItem and changeAssignmentsActionResult resources.
const (
	MaxBytes    = 64 << 10        // encoded size of an event, bytes
	MaxDepth    = 16              // nesting of its JSON
	MaxItems    = 30              // changes in one event, and items in a device's set
	MaxItemID   = 40              // characters of an item id
	MaxID       = 256             // bytes of id and of source
	MaxTicket   = 128             // bytes of subject, the ticket
	MaxTenant   = 63              // characters of a tenant's name
	FutureSlack = 5 * time.Minute // how far ahead of now an event's time may be
	MaxHeaders  = 64              // headers of an event in binary mode, which has 7 attributes; the rest are a publisher's own
	MaxHeader   = 8 << 10         // bytes of their names and values; id and source percent-encoded are 1.5 KiB
	MaxValues   = 16 << 10        // values in a JSON text, each of which takes up to half a kilobyte of memory
)

// An Intent says what is to become of an item on a device.
type Intent string

// The intents. A removal is temporary: Graph restores removed items by itself
// after 8 to 24 hours.
const (
	Remove     Intent = "remove"
	Restore    Intent = "restore"
	RestoreAll Intent = "restore_all" // every item of the device, whoever removed it: an event's only change, without an item
)

// An ItemType is Graph's deviceAssignmentItemType.
type ItemType string

// The documented members of deviceAssignmentItemType, in Graph's spelling.
const (
	Application                         ItemType = "application"
	DeviceConfiguration                 ItemType = "deviceConfiguration"
	DeviceManagementConfigurationPolicy ItemType = "deviceManagementConfigurationPolicy"
	MobileAppConfiguration              ItemType = "mobileAppConfiguration"
)

// ItemTypes lists the members of deviceAssignmentItemType in Graph's order.
var ItemTypes = []ItemType{Application, DeviceConfiguration, DeviceManagementConfigurationPolicy, MobileAppConfiguration}

// An Item is an app or a policy that is assigned to a device. Its ID is unique
// within a tenant, whatever its type.
type Item struct {
	ID   string   `json:"id"`
	Type ItemType `json:"type"`
}

// A Change is one item's part of an event.
type Change struct {
	Intent Intent `json:"intent"`
	Item   Item   `json:"item,omitzero"` // zero with RestoreAll only
}

// An Event is one ticket's wish for one device. Its zero value is not valid;
// Parse and its like, and New, return valid ones.
type Event struct {
	ID      string    // unique within Source; the sender's delivery or version id
	Source  string    // CloudEvents source, a URI reference such as /servicenow/acme
	Ticket  string    // CloudEvents subject, such as CHG0031337
	Tenant  string    // name of a tenant in the configuration, lower case
	Device  string    // Intune managedDevice id, a lower-case UUID; "" while only Graph knows which device Target names
	Target  Target    // the route by which the sender names the device; "" is Device
	Time    time.Time // when it was decided, UTC; orders the words on an item
	Changes []Change  // 1 to MaxItems, each item once, sorted by item id

	// Arrival says that Time is that of the event's arrival, because its sender
	// states none. Each delivery of it then has another time, and is the same.
	Arrival bool
}

// RestoresAll reports whether the event is one word on every item of its device.
func (e Event) RestoresAll() bool { return RestoresAll(e.Changes) }

// RestoresAll reports whether changes are an event's that restores everything.
func RestoresAll(changes []Change) bool { return len(changes) == 1 && changes[0].Intent == RestoreAll }

// Digest identifies the event's content: two deliveries with one id are
// duplicates when their digests agree, and a conflict when they differ.
func (e Event) Digest() [sha256.Size]byte {
	if e.Arrival {
		e.Time = time.Time{}
	}
	return sha256.Sum256(e.Encode())
}
