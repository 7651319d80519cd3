package graphsim

import (
	"slices"
	"time"
)

// Fate is how a device ends with an item, instead of with removed or succeeded.
type Fate struct {
	Status  string // "error" by default; a word that is no documented member shows as unknownFutureValue
	Code    int64  // errorCode
	Message string // intentActionMessage
}

type fate struct {
	ID string
	Fate
}

// SetFate decides how the device's next check-ins end for an item, be it a removal or a restore,
// until ClearFate. A device has at most 100 such items; of more the first are forgotten.
func (s *Sim) SetFate(tenantID, device, item string, f Fate) {
	if f.Status == "" {
		f.Status = failed
	}
	s.fates(tenantID, device, func(v *set) {
		v.Fates = append(without(v.Fates, item), fate{item, f})
		v.Fates = v.Fates[max(0, len(v.Fates)-maxFates):]
	})
}

// ClearFate gives the item its usual end again. What has ended stays as it is.
func (s *Sim) ClearFate(tenantID, device, item string) {
	s.fates(tenantID, device, func(v *set) { v.Fates = without(v.Fates, item) })
}

func (s *Sim) fates(tenantID, device string, edit func(*set)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.look()
	d := s.find(keyOf(tenantID, device))
	if d == nil {
		return
	}
	v := d.set().at(now, s.rules())
	edit(&v)
	d.put(v, now, s.knobs.ShowLag)
	s.save()
}

// without makes a new list: older versions of the set share the old one.
func without(fs []fate, item string) []fate {
	return slices.DeleteFunc(slices.Clone(fs), func(f fate) bool { return same(f.ID, item) })
}

// meet gives an entry whose check-in is over the end that was decided for it.
func (v set) meet(e *entry) {
	for _, f := range v.Fates {
		if same(f.ID, e.ID) {
			e.Status, e.Code, e.Message = f.Status, f.Code, f.Message
		}
	}
}

// State is one item of a device as Graph now has it.
type State struct {
	Item
	Intent, Status  string // "remove" or "restore"; deviceAssignmentItemStatus, or what SetFate said
	Code            int64
	Message         string
	Began, Modified time.Time
}

// State is what Graph has for a device, oldest first: the truth, whatever reads show. It is nil for
// a device that does not exist.
func (s *Sim) State(tenantID, device string) []State {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.look()
	d := s.find(keyOf(tenantID, device))
	if d == nil {
		return nil
	}
	out := []State{}
	for _, e := range d.set().at(now, s.rules()).Entries {
		out = append(out, State{e.Item, e.intent(), e.Status, e.Code, e.Message, e.At, e.Moved})
	}
	return out
}

func (e entry) intent() string {
	if e.Restore {
		return "restore"
	}
	return "remove"
}
