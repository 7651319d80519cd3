package stream

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// consumers checks those of the streams that are worked off.
func (x *exam) consumers(ctx context.Context, p *patient) []Finding {
	var all []*jetstream.ConsumerInfo
	if !slices.Contains([]string{Changes, Targets, Devices}, p.name) {
		return nil
	}
	err := x.ask(ctx, "$JS.API.CONSUMER.LIST."+p.name, func(ctx context.Context) error {
		all = nil
		list := p.stream.ListConsumers(ctx)
		for c := range list.Info() {
			all = append(all, c)
		}
		return list.Err()
	})
	if err != nil && !errors.Is(err, jetstream.ErrEndOfData) {
		return []Finding{cannot(p.name+" consumers", err)}
	}
	var fs []Finding
	for _, c := range all {
		fs = append(fs, x.consumer(p, c)...)
	}
	return append(fs, x.backlog(ctx, p, all)...)
}

// consumer compares one with what the workers declare.
func (x *exam) consumer(p *patient, c *jetstream.ConsumerInfo) []Finding {
	what := p.name + " " + c.Name
	want, ours := x.wanted(p.name, c.Name)
	tenant, reconciles := strings.CutPrefix(c.Name, reconcilePrefix)
	switch {
	case !ours && p.name == Changes:
		return []Finding{{Note, what, "is not the relay's; it reads along", "if nobody needs it: nats consumer rm " + what}}
	case !ours:
		return []Finding{{Bad, what, "is not the relay's, and takes messages from the workers: each is delivered once", "nats consumer rm " + what}}
	case reconciles && p.name == Devices && x.Tenants != nil && !slices.Contains(x.Tenants, tenant):
		return []Finding{{Note, what, "is of a tenant that is not configured", "if it does not come back: nats consumer rm " + what}}
	}
	return departures(what, c.Config, want, c.Paused)
}

// wanted is the declaration of a consumer, if it is one of ours.
func (x *exam) wanted(stream, name string) (jetstream.ConsumerConfig, bool) {
	tenant, reconciles := strings.CutPrefix(name, reconcilePrefix)
	switch {
	case stream == Changes && name == foldConsumer:
		return x.s.folder(), true
	case stream == Targets && name == resolveConsumer:
		return x.s.resolver(), true
	case stream == Devices && reconciles:
		return x.s.reconciler(tenant), true
	}
	return jetstream.ConsumerConfig{}, false
}

// departures lists what differs, and how it becomes as it was.
func departures(what string, is, want jetstream.ConsumerConfig, paused bool) (fs []Finding) {
	add := func(differs bool, field, detail, remedy string) {
		if differs {
			fs = append(fs, Finding{Bad, what + " " + field, detail, remedy})
		}
	}
	const restart = "restart the workers: they mend it; or nats consumer edit "
	makeAnew := "nats consumer rm " + what + ": a worker makes it again, and passes over what has ended"
	filter := strings.Join(append(slices.Clone(is.FilterSubjects), is.FilterSubject), ",")
	add(is.AckPolicy != want.AckPolicy, "ack_policy", fmt.Sprintf("is %s, want %s: messages count as done before they are", plain(is.AckPolicy), plain(want.AckPolicy)), makeAnew)
	add(is.AckWait != want.AckWait, "ack_wait", fmt.Sprintf("is %s, want %s: shorter, two workers have the same message", is.AckWait, want.AckWait), fmt.Sprintf("%s%s --wait=%s", restart, what, want.AckWait))
	add(is.MaxDeliver != want.MaxDeliver, "max_deliver", fmt.Sprintf("is %d, want %d: messages that were tried so often are dropped without a word", is.MaxDeliver, want.MaxDeliver), restart+what+" --max-deliver=-1")
	add(is.MaxAckPending != want.MaxAckPending, "max_ack_pending", fmt.Sprintf("is %d, want %d: messages put back for later block all others", is.MaxAckPending, want.MaxAckPending), restart+what+" --max-pending=-1")
	add(strings.TrimSuffix(filter, ",") != want.FilterSubject, "filter_subject", fmt.Sprintf("is %q, want %q: messages are left out", strings.TrimSuffix(filter, ","), want.FilterSubject), "restart the workers: they mend it")
	add(is.DeliverPolicy != want.DeliverPolicy, "deliver_policy", "does not begin with the first message: older ones are left out", makeAnew)
	add(len(is.BackOff) > 0, "backoff", "its times are in the place of ack_wait", "nats consumer edit "+what+" --backoff=none")
	add(is.HeadersOnly, "headers_only", "messages come without their bodies", "nats consumer edit "+what+" --no-headers-only")
	add(is.MaxRequestBatch > 0 || is.MaxRequestMaxBytes > 0 || is.MaxRequestExpires > 0, "max_batch", "pulls are bounded, and workers' are refused", makeAnew)
	add(paused, "pause_until", "is paused: nothing is delivered", "nats consumer resume "+what)
	return fs
}

// backlog says what waits for too long, and what has nobody who takes it.
func (x *exam) backlog(ctx context.Context, p *patient, all []*jetstream.ConsumerInfo) []Finding {
	has := func(name string) *jetstream.ConsumerInfo {
		i := slices.IndexFunc(all, func(c *jetstream.ConsumerInfo) bool { return c.Name == name })
		if i < 0 {
			return nil
		}
		return all[i]
	}
	switch p.name {
	case Changes:
		if c := has(foldConsumer); c != nil {
			return x.late(ctx, p, c)
		}
		return x.none(p, foldConsumer)
	case Targets:
		if has(resolveConsumer) == nil {
			return x.none(p, resolveConsumer)
		}
		return x.old(p)
	}
	return nil
}

// none is about a consumer that is not there.
func (x *exam) none(p *patient, name string) []Finding {
	what := p.name + " " + name
	switch {
	case x.Starting:
		return nil
	case p.info.State.Msgs == 0:
		return []Finding{{Note, what, "is not there yet", "the first worker makes it"}}
	}
	return []Finding{{Bad, what, fmt.Sprintf("is not there, and %d messages are: no worker runs", p.info.State.Msgs), "start a worker: it makes it"}}
}

// late is about events that are not folded.
func (x *exam) late(ctx context.Context, p *patient, c *jetstream.ConsumerInfo) []Finding {
	n := c.NumPending + uint64(c.NumAckPending) // #nosec G115 -- a count is not negative
	if n == 0 {
		return nil
	}
	var oldest time.Time
	err := x.ask(ctx, "$JS.API.STREAM.MSG.GET."+p.name, func(ctx context.Context) error {
		m, err := p.stream.GetMsg(ctx, c.AckFloor.Stream+1, jetstream.WithGetMsgSubject(">"))
		if err == nil {
			oldest = m.Time
		}
		return err
	})
	if err != nil && !errors.Is(err, jetstream.ErrMsgNotFound) {
		return []Finding{cannot(p.name+" backlog", err)}
	}
	if age := p.info.TimeStamp.Sub(oldest); !oldest.IsZero() && age > foldLate {
		return []Finding{{Bad, p.name + " backlog", fmt.Sprintf("%d events are not folded, the oldest for %s", n, age.Round(time.Second)), "see that workers run and what they log"}}
	}
	return []Finding{{Level: OK, What: p.name + " backlog", Detail: fmt.Sprintf("%d events are on their way into the ledger", n)}}
}

// old is about events whose device nobody has looked up.
func (x *exam) old(p *patient) []Finding {
	age := p.info.TimeStamp.Sub(p.info.State.FirstTime)
	if x.MaxAge == 0 || p.info.State.Msgs == 0 || age <= x.MaxAge+wakeLate {
		return nil
	}
	return []Finding{{Bad, p.name + " backlog", fmt.Sprintf("%d events, the oldest for %s: none should be older than %s", p.info.State.Msgs, age.Round(time.Second), x.MaxAge), "see that workers run and what they log"}}
}
