package graphsim

import (
	"slices"
	"time"
)

// late is a set on its way whose caller has been told nothing. It does not survive a restart.
type late struct {
	due time.Time
	order
}

// postpone sends the call's set on its way. It is judged when it arrives.
func (s *Sim) postpone(x *exchange, by time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if x.call.Op == "post" && x.lost == nil && s.judge(x) == nil && x.mediaType() == nil && len(s.late) < maxLate {
		s.late = append(s.late, late{s.look().Add(by), order{x.call, x.set.items}})
		slices.SortStableFunc(s.late, func(a, b late) int { return a.due.Compare(b.due) })
	}
}

// arriveLate applies what is due, as of when it was due. Everything that looks at the state comes
// through here first, so an older set can never be applied before a newer one by accident.
func (s *Sim) arriveLate(now time.Time) {
	for len(s.late) > 0 && !now.Before(s.late[0].due) {
		l := s.late[0]
		s.late = s.late[1:]
		_ = s.apply(l.order, l.due) // a refusal has nobody to go to; the journal says it was not applied
	}
}
