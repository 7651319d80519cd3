package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"time"

	"changerelay/internal/events"
	"changerelay/internal/stream"
)

// A letter is a dead letter as --output json prints it. Fields may be added;
// those that are here keep their names and meanings.
type letter struct {
	Number   uint64         `json:"number"`
	Outcome  events.Outcome `json:"outcome"`
	Reason   string         `json:"reason"`
	At       time.Time      `json:"given_up"`
	Tenant   string         `json:"tenant,omitzero"`
	Device   string         `json:"device,omitzero"`
	Ticket   string         `json:"ticket,omitzero"`
	Event    string         `json:"event,omitzero"`
	Source   string         `json:"source,omitzero"`
	Delivery string         `json:"delivery,omitzero"`
	Subject  string         `json:"subject"`
	Origin   string         `json:"received,omitzero"`
	Sequence uint64         `json:"sequence,omitzero"`
	Approval string         `json:"approval,omitzero"`  // the code under which to approve it
	Bytes    int            `json:"bytes"`              // that are kept
	Size     int            `json:"size"`               // that there were
	SHA256   string         `json:"sha256,omitzero"`    // of all that there were
	Replayed *replay        `json:"replayed,omitempty"` // absent: nobody has replayed it
	Body     []byte         `json:"body,omitempty"`     // base64; dead show only

	Headers map[string][]string `json:"headers,omitempty"` // of an event in binary mode, which is in both
}

func letterOf(d stream.DeadLetter) letter {
	l := letter{Number: d.Number, Outcome: d.Outcome, Reason: d.Reason, At: d.At.UTC(), Tenant: d.Ref.Tenant, Device: deviceOf(d.Ref),
		Ticket: ticket(d), Source: d.Source, Delivery: d.Delivery, Subject: d.Subject, Origin: d.Origin, Sequence: d.Sequence,
		Headers: d.Header, Approval: d.Approval, Bytes: len(d.Data), Size: max(d.Size, len(d.Data)), SHA256: d.SHA256}
	if d.Ref != (events.Ref{}) {
		l.Event = d.Ref.String()
	}
	if l.SHA256 == "" {
		l.SHA256 = digest(d.Data)
	}
	return l
}

func digest(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// printJSON writes v on a line of its own.
func printJSON(out io.Writer, v any) error { return json.NewEncoder(out).Encode(v) }
