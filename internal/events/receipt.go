package events

import (
	"encoding/json"
	"fmt"
	"time"
)

// OutcomeType is the CloudEvents type of a receipt with a final outcome.
const OutcomeType = "changerelay.outcome.v1"

// ResolvedType is the CloudEvents type of a receipt which says that the device
// of an event's target is known now. It is no outcome: that is the change's.
const ResolvedType = "changerelay.resolved.v1"

// outcomeSource is the CloudEvents source of receipts.
const outcomeSource = "/changerelay"

// A Receipt says what is known of one event. With a final outcome it is the
// data of a changerelay.outcome.v1 CloudEvent in OUTCOMES, which has no state.
type Receipt struct {
	ID       string    `json:"id"` // Ref.String
	Ticket   string    `json:"ticket"`
	Tenant   string    `json:"tenant"`
	Device   string    `json:"device,omitempty"` // empty while it is not known
	Target   Target    `json:"target,omitempty"`
	Change   string    `json:"change,omitempty"`  // of a resolved target: the id that the event has from then on
	Digest   string    `json:"digest,omitempty"`  // of a target: Fingerprint of its event, which TARGETS forgets
	Outcome  Outcome   `json:"outcome,omitempty"` // empty while it is queued
	Reason   string    `json:"reason,omitempty"`  // why, for a person; never a secret
	Changes  []Change  `json:"changes,omitempty"`
	Requests []string  `json:"requests,omitempty"` // Graph's request-ids of the newest calls that carried it, at most 6, the deciding one last
	Approval string    `json:"approval,omitempty"` // code of the approval that Graph asks for, by which an admin finds it
	Attempts int       `json:"attempts,omitempty"` // calls to Graph that carried it
	Accepted time.Time `json:"accepted,omitzero"`  // when the broker stored it
	Folded   time.Time `json:"folded,omitzero"`    // when a worker put it into its device's document
	Called   time.Time `json:"called,omitzero"`    // when the first call that carried it began
	Ended    time.Time `json:"ended,omitzero"`     // when the outcome was known

	// How far it has come, for whoever asks; of a state before Final, Reason says
	// what it waits for.
	State State     `json:"state,omitempty"`
	Since time.Time `json:"since,omitzero"` // of Called: when the call began
	Until time.Time `json:"until,omitzero"` // of Waiting: when it is looked at again at the latest; zero: nobody knows
}

// Status is the receipt in one word: its outcome once that is final, else its
// state.
func (r Receipt) Status() string {
	switch {
	case r.Outcome != "":
		return string(r.Outcome)
	case r.State == "":
		return string(Queued) // of an older relay
	}
	return string(r.State)
}

// Encode returns the receipt as structured-mode CloudEvents JSON, made at now. A
// time that JSON cannot say is the nearest one that it can.
func (r Receipt) Encode(now time.Time) []byte {
	r.Accepted, r.Ended, now = sayable(r.Accepted), sayable(r.Ended), sayable(now)
	for _, t := range []*time.Time{&r.Folded, &r.Called} {
		if !t.IsZero() {
			*t = sayable(*t)
		}
	}
	r.State, r.Since, r.Until = "", time.Time{}, time.Time{} // true today only
	kind := OutcomeType
	if r.Change != "" {
		kind = ResolvedType
	}
	return envelope{ID: r.ID, Source: outcomeSource, Type: kind, Subject: r.Ticket, Data: r}.encode(now)
}

// sayable is the time nearest to t that RFC 3339, and so JSON, has digits for.
// Strangers' times are judged before they come here; this is for those that
// were not, since an outcome that cannot be written would never be.
func sayable(t time.Time) time.Time {
	t = t.Round(0).UTC()
	switch {
	case t.Year() < 0:
		return time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC)
	case t.Year() > 9999:
		return time.Date(9999, 12, 31, 23, 59, 59, 999_999_999, time.UTC)
	}
	return t
}

// ParseReceipt reads what Encode wrote. Fields that it does not know are
// ignored: a newer version of changerelay may have written them.
func ParseReceipt(data []byte) (Receipt, error) {
	var v struct {
		Type string  `json:"type"`
		Data Receipt `json:"data"`
	}
	if err := json.Unmarshal(data, &v); err != nil {
		return Receipt{}, &InvalidError{"", "the message is not a receipt in JSON"}
	}
	if v.Type != OutcomeType && v.Type != ResolvedType {
		return Receipt{}, &InvalidError{"type", fmt.Sprintf("%q is not a receipt; want %s or %s", clip(v.Type), OutcomeType, ResolvedType)}
	}
	if _, err := ParseRef(v.Data.ID); err != nil {
		return Receipt{}, &InvalidError{"data.id", err.(*InvalidError).Reason}
	}
	return v.Data, nil
}
