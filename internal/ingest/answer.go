package ingest

import (
	"net/http"

	"changerelay/internal/events"
)

// An answer is what a sender gets.
type answer struct {
	code   int
	word   string // the outcome in the log
	kind   string // of a handshake
	body   any    // nil is none; text and document go out as they are, all else as JSON
	header map[string]string
}

// Bodies that are not made into JSON.
type (
	text     string // plain text, whatever a browser would like to see in it
	document []byte // JSON already
)

// queued is what a sender is told of an event that is stored now.
const queued = string(events.Queued)

// accepted is what a sender is told of an event that is stored.
type accepted struct {
	ID        string `json:"id"`
	Status    string `json:"status"`
	Duplicate bool   `json:"duplicate"`
	URL       string `json:"url"`
	Reason    string `json:"reason,omitempty"` // what it waits for, if that is known at once
}

func (s *Server) accepted(id string, duplicate bool, why string) accepted {
	a := accepted{ID: id, Status: queued, Duplicate: duplicate, URL: s.baseURL + "/v1/changes/" + id, Reason: why}
	if duplicate {
		a.Status = string(events.Duplicate)
	}
	return a
}

// stored answers for events that the broker has, every one.
func stored(receipts []accepted) answer {
	a := answer{code: http.StatusOK, word: string(events.Duplicate), body: struct {
		Events []accepted `json:"events"`
	}{receipts}}
	for _, r := range receipts {
		if !r.Duplicate {
			a.code, a.word = http.StatusAccepted, queued
		}
	}
	if len(receipts) == 1 {
		a.body = receipts[0]
	}
	return a
}

// A status is a receipt, and in front of it what it says in one word.
type status struct {
	Status string `json:"status"`
	events.Receipt
}

// statuses are all that is known of a ticket.
type statuses struct {
	Ticket  string   `json:"ticket"`
	Total   int      `json:"total"` // more than there are changes: some are left out
	Changes []status `json:"changes"`
}

func found(body any) answer { return answer{code: http.StatusOK, word: "found", body: body} }
