package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"changerelay/internal/events"
	"changerelay/internal/stream"
)

// readable reads a letter's event with the parser that the worker has.
func readable(l stream.DeadLetter) (events.Event, string) {
	switch {
	case l.Source != "":
		return events.Event{}, "it is a body of source " + l.Source + " that is no event: see what is wrong with relayctl source check, and have the source send it again"
	case l.Ref == events.Ref{}:
		return events.Event{}, "its subject is no event's: have its publisher send it again, as docs/events.md says"
	case len(l.Data) == 0:
		return events.Event{}, "its bytes are gone: " + stream.Changes + " had forgotten the event when it was given up; send it again, with a new id, if it is still wanted"
	}
	e, ref, err := events.FromMessage(l.Origin, l.Header, l.Data, l.At)
	switch {
	case err != nil:
		return e, "it is no event (" + err.Error() + "): correct it and send it with a new id; dead show --raw prints its bytes"
	case ref != l.Ref:
		return e, "it was received as the event " + ref.String() + ", and filed as another: send it again with a new id"
	}
	return e, ""
}

// forbidden says why an event must not be published again.
func (r replaying) forbidden(ctx context.Context, l stream.DeadLetter, e events.Event) (string, error) {
	if _, ok := r.c.Tenants[e.Tenant]; !ok {
		return fmt.Sprintf("tenant %s is not in the configuration: add it, also to the workers' one, and replay then", e.Tenant), nil
	}
	if keep := r.c.NATS.Retention; time.Since(e.Time) > keep {
		return fmt.Sprintf("it was decided %s ago, and newer changes are remembered for %s (nats.retention): it might undo one; send it again with a new id and time, if it is still wanted",
			span(time.Since(e.Time)), span(keep)), nil
	}
	if l.Outcome != events.Invalid {
		return "", nil
	}
	twin, err := r.s.Twin(ctx, l)
	if err != nil || !twin {
		return "", err
	}
	return "its id is another event's, which was first: send it again with a new id", nil
}

// ended is how an event ended, in a few words.
func ended(r events.Receipt) string {
	if r.Outcome == "" {
		return "queued"
	}
	return string(r.Outcome)
}

// words is what an event asks for, in a few words.
func words(e events.Event) string {
	n := map[events.Intent]int{}
	for _, c := range e.Changes {
		n[c.Intent]++
	}
	if e.RestoresAll() {
		return "restore everything"
	}
	var parts []string
	for _, i := range []events.Intent{events.Remove, events.Restore} {
		if n[i] > 0 {
			parts = append(parts, fmt.Sprintf("%s %s", i, count(n[i], "item")))
		}
	}
	return strings.Join(parts, ", ")
}
