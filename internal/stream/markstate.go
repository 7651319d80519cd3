package stream

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
)

// ErrReplayed reports that what was signed was used before, for other events.
var ErrReplayed = errors.New("what was signed was used before, for other events")

// What begin says of a mark of other events, beside ErrReplayed.
var (
	errHeld = fmt.Errorf("%w: what was signed is in use for other events", ErrUnavailable)
	errFree = errors.New("nobody holds the mark")
)

// States of a stored mark.
const (
	provisional = "provisional" // somebody publishes its events, or has died of it
	done        = "done"        // its events are stored
	undone      = "undone"      // nobody publishes them any more
)

// A storedMark is a mark as the bucket has it. Readers of an older version get
// along with added fields; states and the meaning of refs do not change.
type storedMark struct {
	State   string   `json:"state"`
	Refs    []string `json:"refs"`              // public ids of the events, sorted
	Holders []string `json:"holders,omitempty"` // of a provisional mark: deliveries that publish them
}

func (m storedMark) known() bool {
	return slices.Contains([]string{provisional, done, undone}, m.State)
}

func (m storedMark) encode() []byte {
	b, err := json.Marshal(m)
	if err != nil {
		panic("stream: strings can be encoded: " + err.Error())
	}
	return b
}

func (m storedMark) equal(o storedMark) bool {
	return m.State == o.State && slices.Equal(m.Refs, o.Refs) && slices.Equal(m.Holders, o.Holders)
}

// begin is the mark once holder publishes refs; fresh says that it has changed
// lately. With errFree it is so only if the events that it is of are not stored.
func (m storedMark) begin(refs []string, holder string, fresh bool) (storedMark, error) {
	mine := storedMark{State: provisional, Refs: refs, Holders: []string{holder}}
	same := slices.Equal(m.Refs, refs)
	switch {
	case m.State == "":
		return mine, nil
	case same && m.State == done:
		return m, nil // the broker will find them duplicates
	case same && m.State == provisional && slices.Contains(m.Holders, holder):
		return m, nil
	case same && m.State == provisional && fresh:
		mine.Holders = append(slices.Clone(m.Holders), holder)
		return mine, nil
	case same:
		return mine, nil // what is left of its holders is dead
	case m.State == done:
		return m, ErrReplayed
	case m.State == provisional && fresh:
		return m, errHeld
	}
	return mine, errFree
}

// done is the mark once the events of refs are stored.
func (m storedMark) done(refs []string) (storedMark, error) {
	if m.State != "" && !slices.Equal(m.Refs, refs) {
		return m, ErrReplayed
	}
	return storedMark{State: done, Refs: refs}, nil
}

// undo is the mark once holder has given up.
func (m storedMark) undo(refs []string, holder string) storedMark {
	if m.State != provisional || !slices.Equal(m.Refs, refs) {
		return m
	}
	left := slices.DeleteFunc(slices.Clone(m.Holders), func(h string) bool { return h == holder })
	if len(left) == 0 {
		return storedMark{State: undone, Refs: refs}
	}
	return storedMark{State: provisional, Refs: refs, Holders: left}
}
