package verify

import (
	"slices"
	"time"
)

// maxStates bounds the secrets of one body that are compared. Neighbours that
// are equal are one: those of a batch are, unless it is of several subscriptions.
const maxStates = 1000

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
	strange := false // something else is wrong than a key past its time
	for _, s := range states {
		id, mismatch := chooseStatic(c.keys, now, s)
		if refusal == "" {
			refusal = mismatch
		}
		list := &d.Uses
		if mismatch != "" {
			list, strange = &d.Expired, strange || id == ""
		}
		if use := (Use{"client_state", id}); !slices.Contains(*list, use) {
			*list = append(*list, use)
		}
	}
	switch {
	case refusal == "":
		return d, ""
	case refusal == InactiveKey && !strange:
		return Delivery{Expired: d.Expired}, refusal
	}
	return Delivery{}, refusal
}

// readClientStates returns the secrets of the notifications of {"value":[…]}. A
// notification without one has "", which is no key.
func readClientStates(body []byte) (states []string, refusal Reason) {
	w, ok := newWalk(body)
	ok = ok && w.object(func(name string) bool {
		if name != "value" {
			return w.skip()
		}
		return w.array(func() bool {
			state, ok := w.notification()
			if len(states) == 0 || states[len(states)-1] != state {
				states = append(states, state)
			}
			return ok && len(states) <= maxStates
		})
	})
	if !ok || len(states) == 0 {
		return nil, BadBody
	}
	return states, ""
}

// notification reads one, and returns its secret.
func (w *walk) notification() (state string, ok bool) {
	ok = w.object(func(name string) bool {
		if name != "clientState" || w.next() != '"' {
			return w.skip()
		}
		text, ok := w.text()
		state = string(text)
		return ok
	})
	return state, ok
}

func (c *clientState) about() about {
	return about{name: "client_state", keys: ids(c.keys), ends: ends(c.keys), weak: weakKeys(c.keys)}
}
