package trial

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"syscall"
	"time"
)

// faults are all that the nemesis can do; class is the row of the list of fault
// classes in docs/proof.md.
var faults = slices.Concat(brokenThings, disksAndClocks)

// brokenThings are programs that die and links that break, and what Graph does.
var brokenThings = []fault{
	{"worker killed", 21, 6, func(t *trial, _ context.Context) (func(), string, error) {
		w := t.worker()
		w.kill()
		return func() { w.revive() }, w.name, nil
	}, nil},
	{"worker killed when Graph has applied its set", 21, 6, func(t *trial, ctx context.Context) (func(), string, error) {
		// The answer is delayed, so that whoever asked dies while it waits.
		err := t.arm(ctx, map[string]any{"op": "post", "point": "after", "delay": "1s"})
		w := t.worker()
		t.pass(ctx, 500*time.Millisecond)
		w.kill()
		return func() { w.revive() }, w.name, err
	}, nil},
	{"all workers killed", 21, 2, func(t *trial, _ context.Context) (func(), string, error) {
		for _, w := range t.workers {
			w.kill()
		}
		return func() {
			for _, w := range t.workers {
				w.revive()
			}
		}, "", nil
	}, nil},
	{"worker paused beyond every deadline", 22, 4, func(t *trial, ctx context.Context) (func(), string, error) {
		w := t.worker()
		w.signal(syscall.SIGSTOP)
		t.pass(ctx, zombie)
		return func() { w.signal(syscall.SIGCONT) }, w.name, nil
	}, nil},
	{"worker told to end", 29, 3, func(t *trial, _ context.Context) (func(), string, error) {
		w := t.worker()
		return func() { w.revive() }, w.name, w.terminate(drainFor)
	}, nil},
	{"rolling restart of all services", 28, 1, func(t *trial, ctx context.Context) (func(), string, error) {
		for _, s := range append(append([]*service{}, t.workers...), t.ingests...) {
			if err := s.terminate(drainFor); err != nil {
				return func() { s.revive() }, s.name, err
			}
			s.revive()
			if err := t.ready(ctx, s); err != nil {
				return nil, "", err
			}
		}
		return nil, "", nil
	}, nil},
	{"ingest killed", 2, 3, func(t *trial, _ context.Context) (func(), string, error) {
		s := t.ingests[t.dice.IntN(len(t.ingests))]
		s.kill()
		return func() { s.revive() }, s.name, nil
	}, nil},
	{"broker killed", 13, 3, func(t *trial, _ context.Context) (func(), string, error) {
		b := t.brokers[t.dice.IntN(len(t.brokers))]
		b.kill()
		return func() { b.revive() }, b.name, nil
	}, nil},
	{"leader killed", 13, 4, func(t *trial, ctx context.Context) (func(), string, error) {
		stream := []string{"CHANGES", "DEVICES", "KV_ledger", "OUTCOMES"}[t.dice.IntN(4)]
		b := t.leader(ctx, stream)
		b.kill()
		return func() { b.revive() }, b.name + " of " + stream, nil
	}, cluster},
	{"leader paused", 13, 3, func(t *trial, ctx context.Context) (func(), string, error) {
		stream := []string{"CHANGES", "DEVICES", "KV_ledger"}[t.dice.IntN(3)]
		b := t.leader(ctx, stream)
		b.signal(syscall.SIGSTOP)
		t.pass(ctx, t.between(time.Second, 5*time.Second))
		return func() { b.signal(syscall.SIGCONT) }, b.name + " of " + stream, nil
	}, cluster},
	{"all brokers killed", 14, 1, func(t *trial, _ context.Context) (func(), string, error) {
		for _, b := range t.brokers {
			b.kill()
		}
		return func() {
			for _, b := range t.brokers {
				b.revive()
			}
		}, "", nil
	}, nil},
	{"link to the broker cut", 13, 4, func(t *trial, _ context.Context) (func(), string, error) {
		return t.moody(t.any(), cut, true)
	}, nil},
	{"link to the broker silent", 13, 4, func(t *trial, _ context.Context) (func(), string, error) {
		return t.moody(t.any(), sleek, true)
	}, nil},
	{"broker's answers lost", 23, 6, func(t *trial, _ context.Context) (func(), string, error) {
		return t.moody(t.any(), deaf, true)
	}, nil},
	{"link to the broker slow", 13, 3, func(t *trial, _ context.Context) (func(), string, error) {
		return t.moody(t.any(), slow, true)
	}, nil},
	{"Graph's answers lost on the way", 31, 5, func(t *trial, _ context.Context) (func(), string, error) {
		return t.moody(t.worker(), deaf, false)
	}, nil},
	{"link to Graph cut", 31, 3, func(t *trial, _ context.Context) (func(), string, error) {
		return t.moody(t.worker(), cut, false)
	}, nil},
	{"Graph throttles", 30, 3, func(t *trial, ctx context.Context) (func(), string, error) {
		header := map[string][]string{}
		after := []string{"1", "2", "", "soon"}[t.dice.IntN(4)]
		if after != "" {
			header["Retry-After"] = []string{after}
		}
		return nil, "Retry-After: " + after, t.arm(ctx, map[string]any{"op": "post", "status": 429, "times": 1 + t.dice.IntN(3), "header": header})
	}, nil},
	{"Graph throttles, and applies", 31, 3, func(t *trial, ctx context.Context) (func(), string, error) {
		return nil, "", t.arm(ctx, map[string]any{"op": "post", "point": "after", "status": 429, "times": 1 + t.dice.IntN(3)})
	}, nil},
	{"Graph applies, and says 5xx", 31, 4, func(t *trial, ctx context.Context) (func(), string, error) {
		status := []int{500, 502, 503, 504}[t.dice.IntN(4)]
		return nil, fmt.Sprint(status), t.arm(ctx, map[string]any{"op": "post", "point": "after", "status": status, "times": 1 + t.dice.IntN(5)})
	}, nil},
	{"Graph says 5xx", 31, 3, func(t *trial, ctx context.Context) (func(), string, error) {
		return nil, "", t.arm(ctx, map[string]any{"status": 503, "times": 1 + t.dice.IntN(10)})
	}, nil},
	{"Graph applies, and drops the connection", 31, 4, func(t *trial, ctx context.Context) (func(), string, error) {
		return nil, "", t.arm(ctx, map[string]any{"op": "post", "point": "after", "reset": true, "times": 1 + t.dice.IntN(5)})
	}, nil},
	{"Graph applies late", 31, 4, func(t *trial, ctx context.Context) (func(), string, error) {
		return nil, "", t.arm(ctx, map[string]any{"op": "post", "late": lateBy.String(), "times": 1 + t.dice.IntN(4)})
	}, nil},
	{"Graph is slower than a call may be", 31, 3, func(t *trial, ctx context.Context) (func(), string, error) {
		point := []string{"before", "after"}[t.dice.IntN(2)]
		return nil, point, t.arm(ctx, map[string]any{"op": "post", "point": point, "delay": (budget + 2*time.Second).String(), "times": 1 + t.dice.IntN(3)})
	}, nil},
	{"tokens revoked", 33, 2, func(t *trial, ctx context.Context) (func(), string, error) {
		one := t.graph.tenants[t.dice.IntN(len(t.graph.tenants))]
		return nil, one.name, t.graph.ask(ctx, "POST", "/tenants/"+one.id+"/challenges", map[string]any{"app": one.client}, nil)
	}, nil},
	{"token endpoint broken", 33, 3, func(t *trial, ctx context.Context) (func(), string, error) {
		f := []map[string]any{
			{"op": "token", "status": 503, "times": 2}, {"op": "token", "delay": "3s"}, {"op": "token", "form": "truncated", "point": "after"},
			{"op": "token", "status": 429, "header": map[string][]string{"Retry-After": {"1"}}},
		}[t.dice.IntN(4)]
		one := t.graph.tenants[t.dice.IntN(len(t.graph.tenants))]
		if err := t.arm(ctx, f); err != nil {
			return nil, "", err
		}
		return nil, one.name, t.graph.ask(ctx, "POST", "/tenants/"+one.id+"/challenges", map[string]any{"app": one.client}, nil)
	}, nil},
	{"a worker's consumer deleted", 16, 1, func(t *trial, ctx context.Context) (func(), string, error) {
		nc, js, err := t.connect()
		if err != nil {
			return nil, "", err
		}
		defer nc.Close()
		stream, consumer := "CHANGES", "fold"
		if t.dice.IntN(2) == 0 {
			stream, consumer = "DEVICES", "reconcile-"+t.graph.tenants[0].name
		}
		return nil, consumer, js.DeleteConsumer(ctx, stream, consumer)
	}, nil},
	{"a configuration with a mistake", 43, 2, func(t *trial, _ context.Context) (func(), string, error) {
		s := t.any()
		err := replace(s.config, s.text+"souces: {}\n")
		s.signal(syscall.SIGHUP)
		return func() {
			_ = replace(s.config, s.text)
			s.signal(syscall.SIGHUP)
		}, s.name, err
	}, nil},
	{"poison published", 24, 2, func(t *trial, _ context.Context) (func(), string, error) {
		return nil, "", t.poison()
	}, nil},
}

// cluster: there is a leader to speak of.
func cluster(t *trial) bool { return !t.Single }

func (t *trial) worker() *service { return t.workers[t.dice.IntN(len(t.workers))] }
func (t *trial) any() *service {
	all := append(append([]*service{}, t.workers...), t.ingests...)
	return all[t.dice.IntN(len(all))]
}

// between is a duration of the nemesis' choice.
func (t *trial) between(a, b time.Duration) time.Duration {
	return a + time.Duration(t.dice.Int64N(int64(b-a)))
}

// arm has the simulator do something wrong.
func (t *trial) arm(ctx context.Context, f map[string]any) error {
	return t.graph.ask(ctx, "POST", "/faults", f, nil)
}

// moody breaks a service's links to the brokers, or to Graph.
func (t *trial) moody(s *service, m mood, toBrokers bool) (func(), string, error) {
	links := s.brokers
	if !toBrokers {
		links = []*link{s.graph}
	}
	for _, l := range links {
		l.set(m)
	}
	return func() {
		for _, l := range links {
			l.set(well)
		}
	}, s.name, nil
}

// poison publishes what is no event under an event's subject.
func (t *trial) poison() error {
	nc, _, err := t.connect()
	if err != nil {
		return err
	}
	defer nc.Close()
	one := t.graph.tenants[t.dice.IntN(len(t.graph.tenants))]
	for i, body := range []string{"{", "\xff\xfe", `{"specversion":"9.9"}`, "[" + strings.Repeat("[", 1000), ""} {
		subject := fmt.Sprintf("changes.v1.%s.%s.%026d.%016d", one.name, one.devices[0], t.dice.Int64N(1<<40), i)
		if err := nc.Publish(subject, []byte(body)); err != nil {
			return err
		}
	}
	return nc.FlushTimeout(2 * time.Second)
}
