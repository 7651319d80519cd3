package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"time"
)

// What befalls the relay, in the order of the day.

func (d *day) morning(ctx context.Context) error {
	d.say("Tickets come in, for phones of the tenants acme and globex.")
	d.rest(ctx, 20*time.Second)
	return d.s.wait(ctx, "the first tickets to be taken", stateWithin, func() bool { return d.taken() >= 10 })
}

// strangers: what does not get in, and what comes twice.
func (d *day) strangers(ctx context.Context) error {
	d.say("A record of ServiceNow comes twice; a stranger and an old key try; a body is no event; a scanner sends too much.")
	record := letter{"servicenow", d.s.secrets["servicenow"], ticket{number: "CHG0041000", device: device(acme, 8), remove: []string{app(1)}}.record()}
	for range 2 {
		url, err := d.s.send(ctx, record)
		if err != nil {
			return err
		}
		d.keep(url)
	}
	one, err := ticket{number: "CHG0041001", tenant: "acme", device: device(acme, 8), remove: []string{app(2)}}.event(time.Now())
	if err != nil {
		return err
	}
	for _, try := range []struct {
		what string
		l    letter
		want int
	}{
		{"a stranger", letter{"servicenow", "guessed", record.body}, http.StatusUnauthorized},
		{"an old key", letter{"desk", d.s.secrets["desk-old"], one}, http.StatusUnauthorized},
		{"a body that is no event", letter{"servicenow", d.s.secrets["servicenow"], []byte(`{"number": "CHG0041002"`)}, 0},
	} {
		if code, _, _ := d.s.post(ctx, try.l); code < 400 || try.want != 0 && code != try.want {
			return fmt.Errorf("%s was answered %d", try.what, code)
		}
	}
	return d.flood(ctx)
}

// flood sends as the scanner until it is told to be slower.
func (d *day) flood(ctx context.Context) error {
	return d.s.wait(ctx, "the scanner to be told 429", stateWithin, func() bool {
		body, err := ticket{number: fmt.Sprintf("SCAN%d", time.Now().UnixNano()), tenant: "acme", device: device(acme, 9), remove: []string{app(3)}}.event(time.Now())
		if err != nil {
			return false
		}
		code, url, _ := d.s.post(ctx, letter{"scanner", d.s.secrets["scanner"], body})
		if code == http.StatusAccepted {
			d.keep(url)
		}
		return code == http.StatusTooManyRequests
	})
}

// lapsed: one tenant's trouble is nobody else's.
func (d *day) lapsed(ctx context.Context) error {
	d.say("Tickets for initech, whose client secret has lapsed: they wait, and nobody else does.")
	for n := range 3 {
		if err := d.send(ctx, ticket{number: fmt.Sprintf("CHG004200%d", n), tenant: "initech", device: device(initech, n), remove: []string{app(n)}}); err != nil {
			return err
		}
	}
	d.rest(ctx, 5*time.Second)
	return nil
}

func (d *day) throttled(ctx context.Context) error {
	d.say("Graph answers 429 to a call for acme, and asks for %d s.", throttlePause)
	if err := d.s.fault(ctx, fmt.Sprintf(`{"op":"post","tenant":%q,"status":429,"header":{"Retry-After":"%d"}}`, acme, throttlePause)); err != nil {
		return err
	}
	t := ticket{number: "CHG0043000", tenant: "acme", device: device(acme, 10), remove: []string{app(4)}}
	err := d.s.wait(ctx, "acme to be paused", stateWithin, func() bool { return d.s.paused(ctx, "acme") })
	if err == nil {
		err = d.send(ctx, t)
	}
	if err == nil {
		err = d.ask(ctx, "Are we throttled, and until when?", "tenants")
	}
	if err == nil {
		err = d.ask(ctx, "Where is this ticket?", "status", "--ticket", t.number)
	}
	if err == nil {
		err = d.s.wait(ctx, "the pause to end", stateWithin, func() bool { return !d.s.paused(ctx, "acme") })
	}
	d.say("acme is called again.")
	d.rest(ctx, 6*time.Second)
	return err
}

// mended: nobody sends the tickets again.
func (d *day) mended(context.Context) error {
	d.say("Somebody puts initech's new secret into its file. Within a minute its tickets go through.")
	return os.WriteFile(d.s.file("initech.secret"), []byte(d.s.secrets["initech"]), 0o600)
}

func (d *day) refused(ctx context.Context) error {
	gone := app(99)
	d.say("Somebody has deleted an app in Intune; ticket CHG0044000 asks to remove it.")
	if err := d.s.graphDo(ctx, http.MethodDelete, "/tenants/"+acme+"/items/"+gone, ""); err != nil {
		return err
	}
	if err := d.send(ctx, ticket{number: "CHG0044000", tenant: "acme", device: device(acme, 11), remove: []string{gone}}); err != nil {
		return err
	}
	if err := d.s.wait(ctx, "the ticket to be refused", stateWithin, func() bool { return d.s.is(ctx, `changerelay_dead_letters_total{reason="refused"} > 0`) }); err != nil {
		return err
	}
	return d.ask(ctx, "Why was it refused?", "dead", "list", "--ticket", "CHG0044000")
}

func (d *day) edited(ctx context.Context) error {
	d.say("An admin removes an app of phone 12 in the portal; the next ticket for it keeps that.")
	phone := device(acme, 12)
	if err := d.s.graphDo(ctx, http.MethodPost, "/tenants/"+acme+"/devices/"+phone+"/portal", fmt.Sprintf(`{"remove":[{"id":%q}]}`, app(42))); err != nil {
		return err
	}
	if err := d.send(ctx, ticket{number: "CHG0045000", tenant: "acme", device: phone, remove: []string{app(7)}}); err != nil {
		return err
	}
	d.mu.Lock()
	last := d.urls[len(d.urls)-1]
	d.mu.Unlock()
	if _, err := d.outcome(ctx, last); err != nil {
		return err
	}
	return d.ask(ctx, "What does this device hold, and why?", "device", "acme", phone)
}

func (d *day) lostReply(ctx context.Context) error {
	d.say("Graph takes a call for globex, and its reply is lost: the relay reads the device before it calls again.")
	err := d.s.fault(ctx, fmt.Sprintf(`{"op":"post","tenant":%q,"point":"after","reset":true}`, globex))
	if err == nil {
		err = d.s.wait(ctx, "the call to be in doubt", stateWithin, func() bool { return d.s.is(ctx, `changerelay_graph_calls_total{op="post",kind="in_doubt"} > 0`) })
	}
	d.rest(ctx, 8*time.Second)
	return err
}

func (d *day) killed(ctx context.Context) error {
	d.say("The worker is killed (kill -9). Tickets are taken as ever, and wait.")
	d.s.worker.kill()
	before := d.taken()
	if err := d.s.wait(ctx, "tickets to be taken without a worker", stateWithin, func() bool { return d.taken() >= before+5 }); err != nil {
		return err
	}
	d.rest(ctx, 8*time.Second)
	if err := d.ask(ctx, "Is anything stuck?", "doctor", "--deep"); err != nil {
		return err
	}
	d.say("It is started again.")
	return d.again(ctx)
}

func (d *day) again(ctx context.Context) error {
	if err := d.s.worker.start(); err != nil {
		return err
	}
	err := d.s.wait(ctx, "the worker to be ready", upWithin, func() bool { return answers("http://" + d.s.workerAdmin + "/readyz") })
	d.rest(ctx, 10*time.Second)
	return err
}

func (d *day) restarted(ctx context.Context) error {
	d.say("The broker is stopped. Ingest answers 503, and the desk tries again.")
	d.s.broker.Shutdown()
	err := d.s.wait(ctx, "ingest to answer 503", stateWithin, d.s.away.Load)
	if err == nil {
		d.say("It is started again on its store.")
		err = d.s.startBroker(ctx)
	}
	if err == nil {
		err = d.s.wait(ctx, "both services to be ready again", upWithin, func() bool {
			return answers("http://"+d.s.ingestAdmin+"/readyz") && answers("http://"+d.s.workerAdmin+"/readyz")
		})
	}
	d.rest(ctx, 15*time.Second)
	return err
}
