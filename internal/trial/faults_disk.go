package trial

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"os"
	"strings"
	"syscall"
	"time"
)

// disksAndClocks are the faults of disks, clocks and secrets, and the long absence.
var disksAndClocks = []fault{
	{"a broker's disk full", 18, 3, func(t *trial, ctx context.Context) (func(), string, error) {
		return t.full(ctx, t.dice.IntN(len(t.brokers)))
	}, hasDisks},
	{"all brokers' disks full", 18, 1, func(t *trial, ctx context.Context) (func(), string, error) {
		var all []int
		for i := range t.brokers {
			all = append(all, i)
		}
		return t.full(ctx, all...)
	}, hasDisks},
	{"a broker's disk slow", 18, 4, func(t *trial, ctx context.Context) (func(), string, error) {
		b := t.brokers[t.dice.IntN(len(t.brokers))]
		by := t.between(20*time.Millisecond, 400*time.Millisecond).Round(time.Millisecond)
		err := b.slowDisk(by)
		t.pass(ctx, t.between(time.Second, 5*time.Second))
		return func() { _ = b.slowDisk(0) }, fmt.Sprintf("%s, each sync by %v", b.name, by), err
	}, (*trial).long},
	{"all brokers away for more than two minutes", 17, 6, func(t *trial, ctx context.Context) (func(), string, error) {
		t.away = time.Now()
		for _, b := range t.brokers {
			_ = b.terminate(brokerEnds)
		}
		t.say("all brokers are away for %v", awayFor)
		select {
		case <-ctx.Done():
		case <-time.After(awayFor):
		}
		for _, b := range t.brokers {
			b.revive()
		}
		return nil, "", t.brokersReady(ctx)
	}, func(t *trial) bool {
		return t.Faults >= int(longRun/takes) && time.Since(t.began) > awayAfter && time.Since(t.away) > awayEvery
	}},
	{"Graph's clock jumps", 20, 4, func(t *trial, ctx context.Context) (func(), string, error) {
		by := t.between(time.Minute, 15*time.Minute).Round(time.Second)
		switch t.dice.IntN(3) {
		case 0:
			by = -by
		case 1:
			by += time.Hour // past every token's life
		}
		if err := t.graph.skew(ctx, by); err != nil {
			return nil, "", err
		}
		until := time.Now().Add(by + 3*time.Second).UTC().Format(http.TimeFormat)
		var armed struct{ ID int }
		err := t.graph.ask(ctx, "POST", "/faults", map[string]any{"op": "post", "status": 429, "header": map[string][]string{"Retry-After": {until}}}, &armed)
		return func() {
			// It must not outlive the jump: by the true clock it says to stay away for the whole of it.
			_ = t.graph.ask(context.Background(), "DELETE", fmt.Sprint("/faults/", armed.ID), nil, nil)
			_ = t.graph.skew(context.Background(), 0)
		}, "by " + by.String(), err
	}, nil},
	{"a tenant's secret replaced", 33, 3, func(t *trial, ctx context.Context) (func(), string, error) {
		one := t.graph.tenants[t.dice.IntN(len(t.graph.tenants))]
		t.turns++
		secret := fmt.Sprintf("trial-secret-%d-of-%s", t.turns, one.name)
		if err := t.graph.ask(ctx, "PUT", "/tenants/"+one.id+"/apps/"+one.client+"/secret", map[string]any{"secret": secret}, nil); err != nil {
			return nil, "", err
		}
		t.graph.secrets[one.name] = secret // in no file yet: whoever needs a token now is refused
		err := t.graph.ask(ctx, "POST", "/tenants/"+one.id+"/challenges", map[string]any{"app": one.client}, nil)
		t.pass(ctx, t.between(100*time.Millisecond, 2*time.Second))
		return t.secrets, one.name, err
	}, nil},
	{"the desk's secret changed in a configuration", 43, 3, func(t *trial, _ context.Context) (func(), string, error) {
		old := t.key
		t.turns++
		t.key = fmt.Sprint("desk-", t.turns)
		secret := fmt.Sprintf("key-%d-of-the-trial-not-of-any-desk!", t.turns)
		if err := t.newKey(t.key, secret); err != nil {
			return nil, "", err
		}
		err := t.configure(old, t.key) // both are good while senders change over
		t.secret.Store(secret)
		return func() { _ = t.configure(t.key) }, "to " + t.key, err
	}, nil},
}

func hasDisks(t *trial) bool { return t.disks != nil }

// full leaves no room on brokers' disks for some seconds. A nats-server that runs out of room
// switches JetStream off until it is restarted, which is what operators do when there is room again.
func (t *trial) full(ctx context.Context, which ...int) (func(), string, error) {
	var what []string
	var err error
	for _, i := range which {
		t.brokers[i].written = t.brokers[i].size()
		if err = t.disks.fill(i); err != nil {
			break
		}
	}
	t.pass(ctx, t.between(2*time.Second, 5*time.Second))
	for _, i := range which {
		b, text := t.brokers[i], t.brokers[i].name
		if strings.Contains(b.since(b.written), "will be DISABLED") {
			text += " (JetStream off)"
		}
		what = append(what, text)
	}
	return func() {
		for _, i := range which {
			_ = t.disks.free(i)
		}
		for _, i := range which {
			_ = t.brokers[i].terminate(brokerEnds)
			t.brokers[i].revive()
		}
	}, strings.Join(what, ", "), err
}

// skew moves the clock that Graph and Entra go by. The journal's is the machine's.
func (g *graph) skew(ctx context.Context, by time.Duration) error {
	return g.ask(ctx, "PATCH", "/knobs", map[string]any{"clock_skew": by.String()}, nil)
}

// secrets writes each tenant's secret as it is now.
func (t *trial) secrets() {
	for name, secret := range t.graph.secrets {
		file := t.path(name + ".secret")
		if text, err := os.ReadFile(file); err != nil || string(text) != secret {
			_ = replace(file, secret)
		}
	}
}

// newKey writes the secret that a desk signs with.
func (t *trial) newKey(name, secret string) error {
	return replace(t.path(name), "whsec_"+base64.StdEncoding.EncodeToString([]byte(secret)))
}

// configure gives all services a good configuration in which the desk's deliveries may be signed with these keys.
func (t *trial) configure(keys ...string) error {
	for _, s := range append(append([]*service{}, t.ingests...), t.workers...) {
		s.text = s.head + sources(keys...)
		if err := replace(s.config, s.text); err != nil {
			return err
		}
		s.signal(syscall.SIGHUP)
	}
	return nil
}

func sources(keys ...string) string {
	return "sources:\n  desk: {kind: cloudevents, tenants: [\"*\"], secrets: [{file: " + strings.Join(keys, "}, {file: ") + "}]}\n"
}
