package source

import (
	"slices"

	"changerelay/internal/events"
)

// cloudEvents reads changerelay's own wire format: one CloudEvent in structured
// JSON mode. Batches are not taken, and nor is binary mode, whose attributes
// travel in headers that a signature over the body does not cover.
type cloudEvents struct{}

func newCloudEvents(Config) (Decoder, error) { return cloudEvents{}, nil }

func (cloudEvents) Accepts(mediaType string) bool {
	return slices.Contains([]string{"application/cloudevents+json", "application/json"}, mediaType)
}

func (cloudEvents) Decode(d Delivery) ([]events.Event, error) {
	e, err := events.Parse(d.Body, d.Now)
	if err != nil {
		return nil, err
	}
	return []events.Event{e}, nil
}
