package stream

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// A Level says what a finding asks for.
type Level string

// The levels of findings.
const (
	OK   Level = "ok"
	Note Level = "note" // cannot be seen from here, or is good to know
	Bad  Level = "bad"  // to be mended
)

// A Finding is one thing that Doctor looked at.
type Finding struct {
	Level  Level  `json:"level"`
	What   string `json:"what"`             // such as "CHANGES max_age"; fields have the broker's names
	Detail string `json:"detail"`           // what is so
	Remedy string `json:"remedy,omitempty"` // what to do; "" if there is nothing
}

// An Exam says what Doctor goes by, beside the options of the streams.
type Exam struct {
	Tenants  []string         // that are configured; nil: unknown, and nothing is said of them
	MaxAge   time.Duration    // of an untold event; 0: unknown, and nothing is said of it
	Starting bool             // a service has just begun: what it is about to make is not missed
	Now      func() time.Time // zero is time.Now
}

// Doctor looks at the broker, the streams and the consumers as they are, and
// changes nothing. It never fails and returns within DoctorFor: what cannot be
// asked is a finding, and what the user may not ask is a note that names the
// permission.
func Doctor(ctx context.Context, nc *nats.Conn, o Options, e Exam) []Finding {
	ctx, cancel := context.WithTimeout(ctx, DoctorFor-refusals)
	defer cancel()
	js, err := jetstream.New(nc)
	if err != nil {
		return []Finding{{Level: Bad, What: "broker", Detail: err.Error()}}
	}
	if e.Now == nil {
		e.Now = time.Now
	}
	x := &exam{Exam: e, s: &Streams{nc: nc, js: js, o: o.orDefaults()}, denials: listen(nc)}
	defer x.denials.stop()
	return x.all(ctx)
}

// An exam is a Doctor at work.
type exam struct {
	Exam
	s       *Streams // for its declarations, which name what should be
	denials *denials
}

// all asks everything at once: of a broker that does not answer, each question
// takes its whole time.
func (x *exam) all(ctx context.Context) []Finding {
	patients := x.look(ctx)
	if slices.IndexFunc(patients, func(p *patient) bool { return !p.missing() }) < 0 {
		return append(x.servers(ctx), Finding{Bad, "streams", "the broker has no stream " + Changes, "has the relay run with this broker, and as this user?"})
	}
	checks := []func(context.Context) []Finding{x.servers, x.sync, x.account, func(context.Context) []Finding { return x.replicas(patients) }}
	for _, p := range patients {
		checks = append(checks, func(ctx context.Context) []Finding { return x.examine(ctx, p) })
	}
	found := make([][]Finding, len(checks))
	var wg sync.WaitGroup
	for i, check := range checks {
		wg.Go(func() { found[i] = check(ctx) })
	}
	wg.Wait()
	return slices.Concat(found...)
}

// A patient is a stream, or why it cannot be looked at.
type patient struct {
	declaration
	bucket bool // another package's, made by the first worker
	stream jetstream.Stream
	info   *jetstream.StreamInfo
	err    error
}

func (p *patient) missing() bool { return errors.Is(p.err, jetstream.ErrStreamNotFound) }

// look asks for every stream.
func (x *exam) look(ctx context.Context) []*patient {
	var ps []*patient
	for _, d := range x.s.declarations() {
		ps = append(ps, &patient{declaration: d})
	}
	for _, d := range x.s.buckets() {
		ps = append(ps, &patient{declaration: d, bucket: true})
	}
	_ = each(ps, len(ps), func(p *patient) error {
		p.err = x.ask(ctx, "$JS.API.STREAM.INFO."+p.name, func(ctx context.Context) (err error) {
			if p.stream, err = x.s.js.Stream(ctx, p.name); err == nil {
				p.info = p.stream.CachedInfo()
			}
			return err
		})
		return nil
	})
	return ps
}

// examine says all that there is to say of one stream.
func (x *exam) examine(ctx context.Context, p *patient) []Finding {
	switch {
	case p.missing() && p.bucket && x.Starting:
		return nil
	case p.missing() && p.bucket:
		return []Finding{{Note, p.name, "is not there yet", "the first worker makes it"}}
	case p.missing():
		return []Finding{{Bad, p.name, "is not there", "restart a service: it makes it again"}}
	case p.err != nil:
		return []Finding{cannot(p.name, p.err)}
	}
	fs := slices.Concat(x.drift(p), x.edits(p), x.size(p), x.consumers(ctx, p), x.contents(ctx, p))
	if !slices.ContainsFunc(fs, func(f Finding) bool { return f.Level == Bad }) {
		fs = append([]Finding{{Level: OK, What: p.name, Detail: "as declared"}}, fs...)
	}
	return fs
}

// cannot is the finding of a question without an answer.
func cannot(what string, err error) Finding {
	if d := (*deniedError)(nil); errors.As(err, &d) {
		return Finding{Note, what, "the broker's user may not ask for it", d.remedy()}
	}
	return Finding{Bad, what, fmt.Sprintf("cannot be asked for: %v", err), "see that the broker is well: nats server report jetstream"}
}
