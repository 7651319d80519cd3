package stream

import (
	"fmt"
	"slices"

	"github.com/nats-io/nats.go/jetstream"
)

// A harm is of a field that declarations leave to the operator, and that does
// harm all the same.
type harm struct {
	field  string
	done   func(p *patient) bool
	detail string
	remedy func(stream string) string
}

func flag(f string) func(string) string {
	return func(stream string) string { return "nats stream edit " + stream + " --" + f }
}

// keepsForever are the streams whose messages have no age of their own.
var keepsForever = map[string]bool{Devices: true, "KV_ledger": true, "KV_quota": true}

var harmful = []harm{
	{"sealed", config(func(c jetstream.StreamConfig) bool { return c.Sealed }), "takes no messages any more", anew},
	{"no_ack", config(func(c jetstream.StreamConfig) bool { return c.NoAck }), "nobody is told that a message is stored: every publish fails", flag("ack")},
	{"max_msgs", config(func(c jetstream.StreamConfig) bool { return c.MaxMsgs > 0 }), "is bounded by number: full, it refuses events, or drops wake-ups", flag("max-msgs=-1")},
	{"max_age", func(p *patient) bool { return keepsForever[p.name] && p.info.Config.MaxAge > 0 }, "forgets what is needed for as long as a device is", flag("max-age=-1")},
	{"persist_mode", config(func(c jetstream.StreamConfig) bool { return c.PersistMode == jetstream.AsyncPersistMode }), "acknowledges before anything is written", anew},
	{"subject_transform", config(func(c jetstream.StreamConfig) bool { return c.SubjectTransform != nil }), "changes subjects, which are what events are known by", flag("no-transform")},
	{"mirror", config(func(c jetstream.StreamConfig) bool { return c.Mirror != nil }), "is another stream's copy, and takes no messages", flag("no-mirror")},
	{"sources", config(func(c jetstream.StreamConfig) bool { return len(c.Sources) > 0 }), "takes messages from another stream past every check", func(s string) string {
		return "nats stream edit " + s + " -i, and take sources out"
	}},
	{"deny_delete", func(p *patient) bool { return p.name == Dead && p.info.Config.DenyDelete }, "dead letters cannot be dropped", anew},
}

func config(f func(jetstream.StreamConfig) bool) func(*patient) bool {
	return func(p *patient) bool { return f(p.info.Config) }
}

// edits finds what an operator has changed that no declaration sets.
func (x *exam) edits(p *patient) (fs []Finding) {
	for _, h := range harmful {
		if h.done(p) {
			fs = append(fs, Finding{Bad, p.name + " " + h.field, h.detail, h.remedy(p.name)})
		}
	}
	return fs
}

// replicas says once what holds for all streams, and what does not for one.
func (x *exam) replicas(ps []*patient) []Finding {
	var fs []Finding
	for _, p := range ps {
		if p.info == nil || p.info.Cluster == nil {
			continue
		}
		if p.info.Cluster.Leader == "" {
			fs = append(fs, Finding{Bad, p.name + " replicas", "has no leader", "see nats server report jetstream"})
		}
		for _, r := range p.info.Cluster.Replicas {
			if r.Offline || !r.Current && !x.Starting { // a new stream's followers come later
				fs = append(fs, Finding{Bad, p.name + " replicas", fmt.Sprintf("%s is offline or %d operations behind", r.Name, r.Lag), "start that server, or see why it lags: nats server report jetstream"})
			}
		}
	}
	if x.s.o.Replicas == 1 {
		return append(fs, Finding{Note, "replicas", "1: while its server is away nothing is accepted, and its disk is the only copy", "run three servers, and set nats.replicas: 3"})
	}
	fewer := func(p *patient) bool { return p.info != nil && p.info.Config.Replicas < x.s.o.Replicas } // which the stream's own finding says
	if fs == nil && !slices.ContainsFunc(ps, fewer) {
		fs = append(fs, Finding{Level: OK, What: "replicas", Detail: fmt.Sprintf("%d, all current", x.s.o.Replicas)})
	}
	return fs
}
