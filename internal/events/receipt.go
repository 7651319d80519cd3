package events

import "time"

// OutcomeType is the CloudEvents type of a receipt with a final outcome.
const OutcomeType = "changerelay.outcome.v1"

// A Receipt says what is known of one event. With a final outcome it is the
// data of a changerelay.outcome.v1 CloudEvent in OUTCOMES.
type Receipt struct {
	ID       string    `json:"id"` // Ref.String
	Ticket   string    `json:"ticket"`
	Tenant   string    `json:"tenant"`
	Device   string    `json:"device"`
	Outcome  Outcome   `json:"outcome,omitempty"` // empty while it is queued
	Reason   string    `json:"reason,omitempty"`  // why, for a person; never a secret
	Changes  []Change  `json:"changes,omitempty"`
	Requests []string  `json:"requests,omitempty"` // Graph request-id of the calls that told it
	Attempts int       `json:"attempts,omitempty"` // calls to Graph that carried it
	Accepted time.Time `json:"accepted,omitzero"`  // when the broker stored it
	Ended    time.Time `json:"ended,omitzero"`     // when the outcome was known
}
