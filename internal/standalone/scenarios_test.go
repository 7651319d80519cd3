package standalone

import (
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/rogpeppe/go-internal/txtar"
)

// A scenario is a txtar file: a script, one step a line, and the bodies that it
// sends as they stand. Everything in it is real but the cloud: broker, HTTP,
// signatures, MSAL, TLS and the worker, composed as the commands do.
//
//	tenant NAME devices ALIAS[=UUID]...          a simulated tenant; the relay is configured for it
//	start|stop|restart ROLE [max-age=D]          relay (both roles), ingest, worker; or the broker. own-set=yes and
//	                                             restore-all=yes are the tenants' policies
//	ticket NUMBER DEVICE CHANGE... [-> CODE WORD] signed and sent; id= source= tenant= at= as= (its name in the script)
//	send cloudevents|servicenow FILE [-> ...]    a body as it stands; as=
//	publish NUMBER DEVICE CHANGE...|FILE         past ingest, straight to the broker
//	run STATE DEVICE                             a script's run leads to the device; run:STATE names it in events
//	approvals                                    every change needs a second admin's approval from now on
//	decide approve|reject                        what the admin says to the open request
//	replay NUMBER                                the ticket's newest dead letter; as=
//	portal remove|restore DEVICE ITEM...         an admin's hand
//	delete item|device NAME                      in Intune
//	fault OP [STATUS] [after] [reset] [KEY=V]... the next OP (post, get, token) fails; code= retry-after= late= times=
//	heal                                         no fault any more
//	hold OP, held-up, release                    the next OP waits; it has come; it goes on
//	pass fresh                                   until what the relay has read is stale
//	wait NAME OUTCOME [attempts=N] [reason=TEXT] over HTTP, for the final outcome
//	status NAME WORD [reason=TEXT]               over HTTP, now
//	where NUMBER -> WORD...                      over HTTP, the words of all events of a ticket, sorted
//	settle                                       every event folded, no device due
//	held DEVICE ITEM...                          what Graph holds, all of it
//	posts DEVICE ITEM... [| ITEM...]...          the sets of all calls, in order; - is an empty one
//	calls DEVICE OP N                            how many calls; OP is ==, <= or >=
//	outcomes STAGE OUTCOME OP N                  the metric
//	logged STAGE OUTCOME                         a line of the log
//	dead OUTCOME N                               dead letters
//
// A CHANGE is restore_all, or remove or restore with ITEM,ITEM,... after it. Names of devices and
// items stand for ids; the letters that an item's name begins with say its type.
func TestScenarios(t *testing.T) {
	files, err := filepath.Glob("testdata/scenarios/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal("no scenarios", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			t.Parallel()
			a, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			p := &play{rig: newRig(t), files: map[string][]byte{}, ids: map[string]string{}, aliases: map[string]string{},
				by: map[string]*process{}, sent: map[string]sent{}, times: map[string]time.Time{}}
			p.conn = p.js()
			for _, f := range a.Files {
				p.files[f.Name] = f.Data
			}
			number := 0
			for line := range strings.Lines(string(a.Comment)) {
				number++
				p.where = file + ":" + strconv.Itoa(number) + ": " + strings.TrimSpace(line)
				p.step(line)
			}
			p.sound()
		})
	}
}

// A play is a scenario under way.
type play struct {
	*rig
	where   string // file, line and text of the step
	files   map[string][]byte
	ids     map[string]string // that the script gives
	aliases map[string]string // by id
	by      map[string]*process
	sent    map[string]sent
	times   map[string]time.Time // of events by source and id: one that is sent again is the same
	heals   []func()
	held    *hold
	conn    jetstream.JetStream
}

// sent is an event of the script.
type sent struct{ id, ticket string }

// A line is a step, taken apart.
type line struct {
	args []string
	opts map[string]string
	want []string // after ->
}

// opt takes an option; what no step has taken is a mistake in the script.
func (l line) opt(name, otherwise string) string {
	v, ok := l.opts[name]
	delete(l.opts, name)
	if !ok {
		return otherwise
	}
	return v
}

func (p *play) fatalf(format string, args ...any) {
	p.t.Helper()
	for _, c := range p.sim.Journal() {
		p.t.Logf("%s %s %s %v status %d applied %v", c.At.Format("05.000"), c.Op, p.alias(c.Device), p.set(c.Items), c.Status, c.Applied)
	}
	p.t.Fatalf(p.where+": "+format, args...)
}

func (p *play) step(text string) {
	p.t.Helper()
	text, _, _ = strings.Cut(text, "#")
	text, want, _ := strings.Cut(text, "->")
	l := line{opts: map[string]string{}, want: strings.Fields(want)}
	for _, word := range strings.Fields(text) {
		name, value, ok := strings.Cut(word, "=")
		if ok && name != "" && value != "" {
			l.opts[name] = value
			continue
		}
		l.args = append(l.args, word)
	}
	if len(l.args) == 0 {
		return
	}
	verb := l.args[0]
	l.args = l.args[1:]
	do, ok := steps[verb]
	if !ok {
		p.fatalf("there is no such step")
	}
	if len(l.args) < do.least {
		p.fatalf("want at least %d words after %s", do.least, verb)
	}
	do.run(p, l)
	if len(l.opts) > 0 {
		p.fatalf("%s does not know %v", verb, l.opts)
	}
}

// steps are the verbs of the language, with how many words each wants.
var steps = map[string]struct {
	least int
	run   func(*play, line)
}{
	"tenant": {1, (*play).addTenant}, "start": {1, (*play).startRole}, "stop": {1, (*play).stopRole}, "restart": {1, (*play).restartRole},
	"ticket": {3, (*play).ticket}, "send": {2, (*play).sendFile}, "publish": {3, (*play).publish},
	"run": {2, (*play).leads}, "approvals": {0, (*play).approvals}, "decide": {1, (*play).decide}, "replay": {1, (*play).replay}, "portal": {3, (*play).portal}, "delete": {2, (*play).remove}, "fault": {1, (*play).fault}, "heal": {0, (*play).heal},
	"hold": {1, (*play).holdOp}, "held-up": {0, (*play).heldUp}, "release": {0, (*play).release}, "pass": {1, (*play).pass},
	"wait": {2, (*play).wait}, "status": {2, (*play).status}, "where": {1, (*play).whereIs}, "settle": {0, (*play).settle},
	"held": {1, (*play).holds}, "posts": {2, (*play).postsAre}, "calls": {3, (*play).calls},
	"outcomes": {4, (*play).outcomes}, "logged": {2, (*play).loggedIs}, "dead": {2, (*play).dead},
}

// sound is what every scenario ends with: no two calls for a device overlapped,
// and no metric and no log line holds a secret.
func (p *play) sound() {
	for _, c := range p.sim.Journal() {
		if c.Overlap {
			p.t.Errorf("two calls for %s overlapped: %+v", c.Device, c)
		}
	}
	for _, r := range p.by {
		p.series(r)
	}
}
