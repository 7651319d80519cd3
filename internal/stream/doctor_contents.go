package stream

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"changerelay/internal/events"
)

// contents looks at what is in a stream.
func (x *exam) contents(ctx context.Context, p *patient) []Finding {
	if p.info.State.Msgs == 0 {
		return nil
	}
	switch p.name {
	case Devices:
		return x.wakeups(ctx, p)
	case Dead:
		return x.letters(ctx, p)
	case Outcomes:
		return x.workerClock(ctx, p)
	}
	return nil
}

// subjects asks for the subjects of a stream's messages.
func (x *exam) subjects(ctx context.Context, p *patient) (subjects []string, err error) {
	err = x.ask(ctx, "$JS.API.STREAM.INFO."+p.name, func(ctx context.Context) error {
		info, err := p.stream.Info(ctx, jetstream.WithSubjectFilter(">"))
		if err == nil {
			subjects = slices.Sorted(maps.Keys(info.State.Subjects))
		}
		return err
	})
	return subjects, err
}

// wakeups finds devices that nobody will look at.
func (x *exam) wakeups(ctx context.Context, p *patient) (fs []Finding) {
	subjects, err := x.subjects(ctx, p)
	if err != nil {
		return []Finding{cannot(Devices+" wake-ups", err)}
	}
	due := map[string]int{}
	for _, s := range subjects {
		a, err := events.ParseAddress(s)
		if err != nil {
			fs = append(fs, Finding{Note, Devices + " wake-ups", fmt.Sprintf("%q names no device", s), "a worker of its tenant drops it"})
			continue
		}
		due[a.Tenant]++
	}
	for _, t := range slices.Sorted(maps.Keys(due)) {
		if x.Tenants == nil {
			break
		}
		if !slices.Contains(x.Tenants, t) {
			fs = append(fs, Finding{Bad, Devices + " tenant " + t, fmt.Sprintf("%d devices are due, and the tenant is not configured: their changes are neither made nor given up", due[t]),
				"configure tenants." + t + ", if only until they have expired; or forget them: nats stream purge DEVICES --subject 'devices.v1." + t + ".*'"})
			continue
		}
		fs = append(fs, x.oldest(ctx, p, t, due[t])...)
	}
	return fs
}

// oldest is about a configured tenant's wake-ups that no worker takes.
func (x *exam) oldest(ctx context.Context, p *patient, tenant string, n int) []Finding {
	var at time.Time
	err := x.ask(ctx, "$JS.API.STREAM.MSG.GET."+p.name, func(ctx context.Context) error {
		m, err := p.stream.GetMsg(ctx, 1, jetstream.WithGetMsgSubject(events.DevicesPrefix+tenant+".*"))
		if err == nil {
			at = m.Time
		}
		return err
	})
	what := Devices + " tenant " + tenant
	switch age := p.info.TimeStamp.Sub(at); {
	case errors.Is(err, jetstream.ErrMsgNotFound):
		return nil // settled meanwhile
	case err != nil:
		return []Finding{cannot(what, err)}
	case x.MaxAge > 0 && age > x.MaxAge+wakeLate:
		return []Finding{{Bad, what, fmt.Sprintf("%d devices are due, the longest for %s: no worker looks at them", n, age.Round(time.Second)), "see that workers run and have this tenant in their configuration"}}
	}
	return []Finding{{Level: OK, What: what, Detail: fmt.Sprintf("%d devices are due", n)}}
}

// letters counts the dead letters.
func (x *exam) letters(ctx context.Context, p *patient) []Finding {
	subjects, err := x.subjects(ctx, p)
	if err != nil {
		return []Finding{cannot(Dead+" letters", err)}
	}
	count := map[string]int{}
	for _, s := range subjects {
		outcome, _, _ := strings.Cut(strings.TrimPrefix(s, events.DeadPrefix), ".")
		count[outcome]++
	}
	var parts []string
	for _, o := range slices.Sorted(maps.Keys(count)) {
		parts = append(parts, fmt.Sprintf("%d %s", count[o], o))
	}
	return []Finding{{Note, Dead + " letters", fmt.Sprintf("%s for a person", strings.Join(parts, ", ")), "relayctl dead list"}}
}

// workerClock compares the newest outcome's time, by its worker's clock, with the
// broker's, which stored it a moment later.
func (x *exam) workerClock(ctx context.Context, p *patient) []Finding {
	var m *jetstream.RawStreamMsg
	err := x.ask(ctx, "$JS.API.STREAM.MSG.GET."+p.name, func(ctx context.Context) (err error) {
		m, err = p.stream.GetMsg(ctx, p.info.State.LastSeq)
		return err
	})
	if err != nil {
		return []Finding{cannot("worker clock", err)}
	}
	var said struct {
		Time time.Time `json:"time"`
	}
	if json.Unmarshal(m.Data, &said) != nil || said.Time.IsZero() {
		return nil
	}
	skew := said.Time.Sub(m.Time)
	if skew.Abs() <= ClockSkew {
		return []Finding{{Level: OK, What: "worker clock", Detail: fmt.Sprintf("the last outcome's worker and the broker differ by at most %s", skew.Abs().Round(time.Millisecond))}}
	}
	side := "behind"
	if skew > 0 {
		side = "ahead of"
	}
	return []Finding{{Bad, "worker clock", fmt.Sprintf("the worker of the last outcome is %s %s the broker; more than %s lets calls overlap", skew.Abs().Round(time.Second), side, ClockSkew), "run NTP on both"}}
}
