package standalone

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"github.com/nats-io/nats.go/jetstream"

	"changerelay/internal/await"
	"changerelay/internal/events"
	"changerelay/internal/stream"
)

// compare is the test of a number that a script names.
func (p *play) compare(got int, op, want string) bool {
	switch n := p.number(want); op {
	case "==":
		return got == n
	case "<=":
		return got <= n
	case ">=":
		return got >= n
	}
	p.fatalf("want ==, <= or >=, not %s", op)
	return false
}

func (p *play) known(name string) sent {
	s, ok := p.sent[name]
	if !ok || s.id == "" {
		p.fatalf("nothing was sent as %s", name)
	}
	return s
}

// resolved reports whether a receipt is of the event that had another id before it
// was known which device its target is.
func resolved(got events.Receipt, id string) bool {
	first, _ := events.ParseRef(id)
	now, _ := events.ParseRef(got.ID)
	return first.Unresolved() && !now.Unresolved() && first.Tenant == now.Tenant && first.Key == now.Key && now.Key != ""
}

func (p *play) wait(l line) {
	s := p.known(l.args[0])
	got := p.outcome(p.front(), s.id)
	attempts, reason := l.opt("attempts", ""), strings.ReplaceAll(l.opt("reason", ""), "_", " ")
	switch {
	case string(got.Outcome) != l.args[1]:
		p.fatalf("it ended %s: %s", got.Outcome, got.Reason)
	case got.ID != s.id && !resolved(got, s.id), s.ticket != "" && got.Ticket != s.ticket, got.Accepted.IsZero(), got.Ended.IsZero():
		p.fatalf("the receipt is wrong: %+v", got)
	case attempts != "" && got.Attempts != p.number(attempts):
		p.fatalf("%d attempts", got.Attempts)
	case got.Outcome.Dead() && got.Reason == "", !strings.Contains(got.Reason, reason):
		p.fatalf("the reason is %q", got.Reason)
	case got.Outcome == events.Accepted && len(got.Requests) == 0 && got.Attempts == 0:
		p.fatalf("it does not say which call: %+v", got)
	}
}

func (p *play) status(l line) {
	reason := strings.ReplaceAll(l.opt("reason", ""), "_", " ")
	if a := p.receipt(p.front(), p.known(l.args[0]).id, ""); a.word() != l.args[1] || !strings.Contains(a.Reason, reason) {
		p.fatalf("it is %v", a)
	}
}

// whereIs asks for a ticket, as its desk does.
func (p *play) whereIs(l line) {
	a, err := p.do(p.look(p.front() + "/v1/changes?ticket=" + l.args[0]))
	if err != nil {
		p.fatalf("%v", err)
	}
	var list struct {
		Ticket  string
		Total   int
		Changes []struct{ Status string }
	}
	if err := json.Unmarshal([]byte(a.text), &list); err != nil || a.code != http.StatusOK || list.Ticket != l.args[0] || list.Total != len(list.Changes) {
		p.fatalf("it is %v", a)
	}
	var got []string
	for _, c := range list.Changes {
		got = append(got, c.Status)
	}
	slices.Sort(got)
	if !slices.Equal(got, l.want) {
		p.fatalf("they are %v", got)
	}
}

func (p *play) settle(line) { p.settled(p.conn) }

func (p *play) holds(l line) {
	if got, want := p.set(p.sim.Held(uuid("acme"), p.id(l.args[0]))), wanted(l.args[1:]); got != want {
		p.fatalf("it holds %s", got)
	}
}

func (p *play) postsAre(l line) {
	var got, want []string
	for _, c := range p.posts(p.id(l.args[0])) {
		got = append(got, p.set(c.Items))
	}
	for part := range strings.SplitSeq(strings.Join(l.args[1:], " "), "|") {
		want = append(want, wanted(strings.Fields(part)))
	}
	if !slices.Equal(got, want) {
		p.fatalf("the calls are %s", strings.Join(got, " | "))
	}
}

func (p *play) calls(l line) {
	if n := len(p.posts(p.id(l.args[0]))); !p.compare(n, l.args[1], l.args[2]) {
		p.fatalf("%d calls", n)
	}
}

func (p *play) outcomes(l line) {
	name := `changerelay_outcomes_total{outcome="` + l.args[1] + `",stage="` + l.args[0] + `"}`
	p.eventually(name, func() (n int) {
		for _, me := range p.by {
			n += int(p.series(me)[name])
		}
		return n
	}, l.args[2], l.args[3])
}

// eventually waits for a number.
func (p *play) eventually(what string, count func() int, op, want string) {
	await.State(p.t, p.where+": "+what, func() bool { return p.compare(count(), op, want) })
}

func (p *play) loggedIs(l line) {
	await.State(p.t, p.where, func() bool { return p.logged(`"stage":"`+l.args[0]+`"`, `"outcome":"`+l.args[1]+`"`) })
}

func (p *play) dead(l line) {
	p.eventually("dead letters", func() int {
		s, err := p.conn.Stream(context.Background(), stream.Dead)
		if err != nil {
			p.fatalf("%v", err)
		}
		i, err := s.Info(context.Background(), jetstream.WithSubjectFilter(events.DeadPrefix+l.args[0]+".>"))
		if err != nil {
			p.fatalf("%v", err)
		}
		return len(i.State.Subjects)
	}, "==", l.args[1])
}
