package quota

import (
	"encoding/json"
	"fmt"
	"time"
)

// Version is the form in which cells are stored. A reader refuses forms it does
// not know. Fields may be added within a version only if an older worker may
// drop them without harm: it does so with every lease.
const Version = 1

// The stored form is read by people as well, with the broker's own tool.
type stored struct {
	Version int       `json:"v"`
	Next    time.Time `json:"next,omitzero"`
	Seen    time.Time `json:"seen,omitzero"`
	Until   time.Time `json:"until,omitzero"`
	Since   time.Time `json:"since,omitzero"`
	Low     float64   `json:"low,omitempty"`
	Count   int       `json:"count,omitempty"`
}

func (c Cell) encode() ([]byte, error) {
	return json.Marshal(stored{Version, c.Next, c.Seen, c.Until, c.Since, c.Low, c.Count})
}

func decode(b []byte) (Cell, error) {
	var v struct {
		Version int `json:"v"`
	}
	if err := json.Unmarshal(b, &v); err != nil {
		return Cell{}, fmt.Errorf("reading stored cell: %w", err)
	}
	if v.Version != Version {
		return Cell{}, fmt.Errorf("stored cell has version %d and this program knows %d: run a worker that knows it", v.Version, Version)
	}
	var s stored
	if err := json.Unmarshal(b, &s); err != nil {
		return Cell{}, fmt.Errorf("reading stored cell: %w", err)
	}
	return Cell{plain(s.Next), plain(s.Seen), plain(s.Until), plain(s.Since), s.Low, s.Count}, nil
}
