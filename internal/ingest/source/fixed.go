package source

import (
	"errors"
	"fmt"
	"time"

	"changerelay/internal/events"
)

// judgeFixed refuses a fixed text that no record can have: every delivery would
// fail by it, or be ignored.
func (d *formDecoder) judgeFixed(meaning string, p path) error {
	for _, a := range p {
		text, fixed := a.fixed()
		if !fixed {
			continue
		}
		if err := d.refuseFixed(meaning, text, len(p) == 1); err != nil {
			return fmt.Errorf("the fixed text %q %w", text, err)
		}
	}
	return nil
}

func (d *formDecoder) refuseFixed(meaning, text string, alone bool) error {
	switch {
	case meaning == Time:
		return errors.New("would date all events alike; leave it out, and an event without a time has that of its arrival")
	case meaning == Approval && alone && !(record{formDecoder: *d}).approves(text):
		return errors.New("is none of the words under approved: every record would be ignored")
	case meaning == Approval:
		return nil
	}
	_, err := sample(meaning, text).event()
	var bad *events.InvalidError
	if errors.As(err, &bad) {
		return errors.New("cannot be: " + bad.Reason)
	}
	return err
}

// sample is a good record, but for one meaning.
func sample(meaning, text string) record {
	r := record{delivery: Delivery{Now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}}
	r.source, r.paths = "/sample", map[string]path{}
	for m, text := range map[string]string{
		Ticket: "T1", Device: "6f4c1f0e-6a0c-4b0f-9a1c-2f6f6f2d7a11", Items: "a", Tenant: "t", meaning: text,
	} {
		r.paths[m] = path{{text: "=" + text}}
	}
	return r
}
