package verify

import (
	"slices"
	"time"

	"changerelay/internal/events"
)

// maxNesting bounds bodies that are parsed to be verified. Graph's
// notifications are 4 deep, and those of SNS 3.
const maxNesting = 16

// A clientState checks the secret in each of Graph's change notifications.
type clientState struct{ keys []key }

func newClientState(c ClientState, least int) (check, error) {
	keys, err := newStatic(c.Keys, least, itself)
	return &clientState{keys}, err
}

// verify compares every notification, also after one that is not ours: a batch
// may be of several subscriptions, and one stranger's spoils it.
func (c *clientState) verify(r *Request, now time.Time) (d Delivery, refusal Reason) {
	states, refusal := readClientStates(r.Body)
	for _, s := range states {
		id, mismatch := chooseStatic(c.keys, now, s)
		if refusal == "" {
			refusal = mismatch
		}
		if use := (Use{"client_state", id}); !slices.Contains(d.Uses, use) {
			d.Uses = append(d.Uses, use)
		}
	}
	if refusal != "" {
		return Delivery{}, refusal
	}
	return d, ""
}

// readClientStates returns the secret of each notification of {"value":[…]}. A
// notification without one has "", which is no key.
func readClientStates(body []byte) (states []string, refusal Reason) {
	v, err := events.JSON(body, "body", maxNesting)
	if err != nil {
		return nil, BadBody
	}
	root, _ := v.(map[string]any)
	list, _ := root["value"].([]any)
	for _, item := range list {
		notification, ok := item.(map[string]any)
		if !ok {
			return nil, BadBody
		}
		state, _ := notification["clientState"].(string)
		states = append(states, state)
	}
	if len(states) == 0 {
		return nil, BadBody
	}
	return states, ""
}

func (c *clientState) about() about { return about{name: "client_state", keys: ids(c.keys)} }
