package trial

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"

	"changerelay/internal/events"
	"changerelay/internal/proof"
)

// A desk sends tickets, by webhook or straight over NATS, and does not give up
// before it has an answer. It also sends some twice, to both ingests at once.
type desk struct {
	*trial
	dice   *rand.Rand
	client *http.Client
	nc     *nats.Conn
	begun  atomic.Int64 // events
	acked  atomic.Int64

	editing sync.Mutex
	edits   []proof.Edit // in order, of each device
}

func newDesk(t *trial) (*desk, error) {
	nc, _, err := t.connect()
	if err != nil {
		return nil, fmt.Errorf("connecting the desk: %w", err)
	}
	return &desk{trial: t, nc: nc, dice: rand.New(rand.NewPCG(uint64(t.Seed), 11)), client: &http.Client{Timeout: answerFor}}, nil
}

// A ticket is one event, and how it is sent.
type ticket struct {
	event  events.Event
	direct bool // straight over NATS
	twice  bool // at once by both ingests
}

func (d *desk) send(ctx context.Context) {
	defer d.nc.Close()
	tickets := make(chan ticket)
	var all sync.WaitGroup
	for range senders {
		all.Go(func() {
			for one := range tickets {
				d.deliver(ctx, one)
			}
		})
	}
	for i := 0; i < d.Events && ctx.Err() == nil; i++ {
		tickets <- d.ticket(i)
		if d.dice.IntN(40) == 0 {
			d.edit(ctx)
		}
		if left := d.Faults; left > 0 { // spread over the nemesis' time
			time.Sleep(d.pause())
		}
	}
	close(tickets)
	all.Wait()
}

// pause lets the events last as long as the faults do.
func (d *desk) pause() time.Duration {
	per := time.Duration(d.Faults) * faultFor / time.Duration(max(d.Events, 1))
	return time.Duration(d.dice.Int64N(int64(2*per + 1)))
}

func (d *desk) ticket(i int) ticket {
	one := d.graph.tenants[d.dice.IntN(len(d.graph.tenants))]
	// Few devices have most of the tickets.
	dev := one.devices[min(d.dice.IntN(len(one.devices)), d.dice.IntN(len(one.devices)))]
	var changes []events.Change
	for _, n := range d.dice.Perm(len(items))[:1+d.dice.IntN(3)] {
		intent := events.Remove
		if d.dice.IntN(5) < 2 {
			intent = events.Restore
		}
		changes = append(changes, events.Change{Intent: intent, Item: events.Item{ID: items[n], Type: "application"}})
	}
	if d.dice.IntN(60) == 0 { // an app that is no more
		changes = []events.Change{{Intent: events.Remove, Item: events.Item{ID: cursed, Type: "application"}}}
	}
	now := time.Now()
	e, err := events.New(events.Event{
		ID: fmt.Sprintf("%d-%d", d.Seed, i), Source: "/trial/desk", Ticket: fmt.Sprintf("CHG%07d", i/2), Tenant: one.name, Device: dev,
		Time: now.Add(-time.Duration(d.dice.IntN(30_000)) * time.Millisecond), Changes: changes,
	}, now)
	if err != nil {
		panic(err) // a mistake of the trial
	}
	return ticket{e, d.dice.IntN(5) == 0, d.dice.IntN(10) == 0}
}

// deliver sends until it is acknowledged, or the trial is over, or too often.
func (d *desk) deliver(ctx context.Context, one ticket) {
	d.begun.Add(1)
	var pair sync.WaitGroup
	for n := range 1 + btoi(one.twice) {
		pair.Go(func() {
			for try, began := 0, time.Now(); ctx.Err() == nil; try++ {
				if time.Since(began) > patience {
					d.say("the desk gives up on %s", one.event.ID)
					return
				}
				if d.once(ctx, one, n+try) {
					if n == 0 {
						d.acked.Add(1)
					}
					return
				}
				time.Sleep(min(time.Duration(50+50*try)*time.Millisecond, desksWait))
			}
		})
	}
	pair.Wait()
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// once is one try; it reports whether that is an end of it.
func (d *desk) once(ctx context.Context, one ticket, n int) bool {
	s := proof.Sent{At: time.Now(), Event: one.event.Ref().String(), Device: proof.Device{Tenant: one.event.Tenant, ID: one.event.Device}}
	if one.direct {
		s.Ack, s.Answer = publish(d.nc, one.event)
	} else {
		s.Ack, s.Answer = d.post(ctx, d.ingests[n%len(d.ingests)].url, one.event)
	}
	s.Answered = time.Now()
	d.mu.Lock()
	d.history.Sent = append(d.history.Sent, s)
	d.mu.Unlock()
	return s.Ack
}

// post is a webhook as Standard Webhooks has it.
func (d *desk) post(ctx context.Context, url string, e events.Event) (ack bool, answer string) {
	body := e.Encode()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, url+"/v1/changes", strings.NewReader(string(body)))
	if err != nil {
		return false, err.Error()
	}
	stamp := strconv.FormatInt(time.Now().Unix(), 10)
	mac := hmac.New(sha256.New, []byte(d.secret.Load().(string)))
	_, _ = io.WriteString(mac, e.ID+"."+stamp+"."+string(body))
	r.Header.Set("Content-Type", "application/cloudevents+json")
	r.Header.Set("Webhook-Id", e.ID)
	r.Header.Set("Webhook-Timestamp", stamp)
	r.Header.Set("Webhook-Signature", "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	res, err := d.client.Do(r)
	if err != nil {
		return false, err.Error()
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(res.Body, 500))
	if err != nil {
		return false, err.Error() // the status alone is no answer
	}
	return res.StatusCode == http.StatusAccepted || res.StatusCode == http.StatusOK, res.Status + " " + strings.TrimSpace(string(text))
}

// publish is a service of its own, which stores an event as docs/events.md says.
func publish(nc *nats.Conn, e events.Event) (ack bool, answer string) {
	id := events.ChangesPrefix + e.Ref().String()
	msg := &nats.Msg{Subject: id + "." + events.TicketToken(e.Ticket), Data: e.Encode(), Header: nats.Header{
		"Nats-Expected-Last-Subject-Sequence": {"0"}, "Nats-Expected-Last-Subject-Sequence-Subject": {id + ".*"},
	}}
	reply, err := nc.RequestMsg(msg, 5*time.Second)
	if err != nil {
		return false, err.Error()
	}
	var said struct {
		Seq   uint64
		Error *struct {
			Code        int `json:"err_code"`
			Description string
		}
	}
	switch err := json.Unmarshal(reply.Data, &said); {
	case err != nil:
		return false, err.Error()
	case said.Error != nil && said.Error.Code == 10071:
		return true, "stored before"
	case said.Error != nil:
		return false, said.Error.Description
	}
	return said.Seq > 0, fmt.Sprint("stored as ", said.Seq)
}

// edit has an admin change something in the portal.
func (d *desk) edit(ctx context.Context) {
	one := d.graph.tenants[d.dice.IntN(len(d.graph.tenants))]
	e := proof.Edit{Device: proof.Device{Tenant: one.name, ID: one.devices[d.dice.IntN(len(one.devices))]}, Item: items[d.dice.IntN(len(items))], Removed: d.dice.IntN(2) == 0}
	in := map[string]any{"restore": []string{e.Item}}
	if e.Removed {
		in = map[string]any{"remove": []map[string]string{{"id": e.Item, "type": "application"}}}
	}
	d.editing.Lock()
	defer d.editing.Unlock()
	if err := d.graph.ask(ctx, "POST", "/tenants/"+one.id+"/devices/"+e.Device.ID+"/portal", in, nil); err != nil {
		d.say("the portal: %v", err)
		return
	}
	d.edits = append(d.edits, e)
}
