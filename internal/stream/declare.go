package stream

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"

	"github.com/nats-io/nats.go/jetstream"

	"changerelay/internal/events"
)

// A declaration is what a stream must be. The fields of a stream's
// configuration that set leaves alone, such as its placement, are the
// operator's.
type declaration struct {
	name string
	set  func(*jetstream.StreamConfig)
}

func (s *Streams) declarations() []declaration {
	return []declaration{
		{Changes, func(c *jetstream.StreamConfig) {
			c.Description = "every accepted event: intake, audit trail, memory of duplicates"
			c.Subjects = []string{events.ChangesPrefix + ">"} // all of it: what a direct publisher misspells becomes a dead letter
			c.MaxMsgSize = events.MaxBytes + MaxChangeHeaders
			s.remember(c)
			c.DenyDelete, c.DenyPurge = true, true // a forgotten event could happen twice
		}},
		{Targets, func(c *jetstream.StreamConfig) {
			c.Description = "events whose device is not known yet"
			c.Subjects = []string{events.TargetsPrefix + ">"}
			c.MaxMsgSize = events.MaxBytes + MaxChangeHeaders
			s.remember(c)
			c.Retention = jetstream.WorkQueuePolicy // what is resolved is remembered in CHANGES and OUTCOMES
		}},
		{Devices, func(c *jetstream.StreamConfig) {
			c.Description = "devices that are due: one wake-up each, no data"
			c.Subjects = []string{events.DevicesPrefix + "*.*"}
			c.Retention = jetstream.WorkQueuePolicy
			c.MaxMsgSize = MaxChangeHeaders
			c.MaxMsgsPerSubject, c.Discard = 1, jetstream.DiscardOld // a newer wake-up replaces the older one
			c.MaxBytes = -1                                          // or discarding would take other devices' wake-ups
			s.keep(c)
		}},
		{Outcomes, func(c *jetstream.StreamConfig) {
			c.Description = "one final outcome an event"
			c.Subjects = []string{events.OutcomesPrefix + ">"}
			s.remember(c)
		}},
		{Dead, func(c *jetstream.StreamConfig) {
			c.Description = "events that a person must look at"
			c.Subjects = []string{events.DeadPrefix + ">"}
			s.remember(c)
		}},
		{AuditLog, func(c *jetstream.StreamConfig) {
			c.Description = "what people did by hand: who, when and why"
			c.Subjects = []string{AuditPrefix + ">"}
			c.Retention, c.MaxAge, c.MaxMsgSize = jetstream.LimitsPolicy, AuditFor, MaxAudit
			c.Discard = jetstream.DiscardNew       // full, nothing can be done by hand that nobody would know of
			c.DenyDelete, c.DenyPurge = true, true // also by those who are recorded
			s.keep(c)
		}},
		{Marks, func(c *jetstream.StreamConfig) {
			c.Description = "deliveries that must not be used again for other events"
			c.Subjects = []string{marksPrefix + ">"}
			c.MaxAge = MarksFor
			c.MaxMsgsPerSubject, c.Discard = 1, jetstream.DiscardNew // full, it refuses and forgets nothing
			c.DenyDelete, c.AllowRollup = true, true                 // as all buckets have it
			s.keep(c)
		}},
	}
}

// remember makes a stream one that keeps a message a subject for the whole
// retention. It refuses rather than forgets, and it refuses a second message on
// a subject from publishers, too, who do not expect anything.
func (s *Streams) remember(c *jetstream.StreamConfig) {
	c.Retention, c.MaxAge = jetstream.LimitsPolicy, s.o.Retention
	c.Duplicates = min(DuplicateWindow, s.o.Retention) // the broker wants it within MaxAge
	c.MaxMsgsPerSubject, c.Discard, c.DiscardNewPerSubject = 1, jetstream.DiscardNew, true
	switch { // a limit that an operator has set stays
	case s.o.MaxBytes > 0:
		c.MaxBytes = s.o.MaxBytes
	case c.MaxBytes == 0:
		c.MaxBytes = -1
	}
	s.keep(c)
}

func (s *Streams) keep(c *jetstream.StreamConfig) {
	c.Storage, c.Replicas = jetstream.FileStorage, s.o.Replicas
	c.AllowDirect = false // any replica answers a direct get, also one that lags
}

// declare makes the stream, or changes it, until it is as declared. Errors that
// waiting can mend are waited out.
func (s *Streams) declare(ctx context.Context, d declaration) (jetstream.Stream, error) {
	for p := (pauses{}); ; {
		st, err := s.declareOnce(ctx, d)
		if err == nil {
			return st, nil
		}
		if hopeless(err) {
			return nil, fmt.Errorf("the broker refuses the configuration: %w", err)
		}
		if p.first() {
			s.log.Warn("waiting for the broker to declare a stream", "stream", d.name, "err", err)
		}
		if p.wait(ctx) != nil {
			return nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
		}
	}
}

func (s *Streams) declareOnce(ctx context.Context, d declaration) (jetstream.Stream, error) {
	ctx, cancel := context.WithTimeout(ctx, DeclareTry)
	defer cancel()
	st, err := s.stream(ctx, d.name)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		c := jetstream.StreamConfig{Name: d.name}
		d.set(&c)
		return s.js.CreateStream(ctx, c) // agrees with another replica that was faster
	}
	if err != nil {
		return nil, err
	}
	have := st.CachedInfo().Config
	want := have
	d.set(&want)
	if reflect.DeepEqual(have, want) {
		return st, nil // an update without a change would still be a vote of the cluster
	}
	s.log.Info("changing a stream's configuration", "stream", d.name)
	return s.js.UpdateStream(ctx, want)
}

// stream asks for a stream once.
func (s *Streams) stream(ctx context.Context, name string) (jetstream.Stream, error) {
	ctx, cancel := context.WithTimeout(ctx, ReadTry)
	defer cancel()
	return s.js.Stream(ctx, name)
}

// Codes of the broker that jetstream has no constant for.
const (
	codeNoResources     jetstream.ErrorCode = 10023 // of the broker or the account
	codeStorage         jetstream.ErrorCode = 10047 // of the broker or the account
	codeInvalidConfig   jetstream.ErrorCode = 10052 // also a change that cannot be made
	codeSubjectsOverlap jetstream.ErrorCode = 10065 // with another stream's
	codeNotClustered    jetstream.ErrorCode = 10074 // replicas on a single server
	codeStoreFailed     jetstream.ErrorCode = 10077 // the stream is full, or the subject is
	codeHeaders         jetstream.ErrorCode = 10097 // more than 64 KiB of them, whatever the limits of message and stream
	codeNotReady        jetstream.ErrorCode = 10163 // the expected sequence is not known yet
)

// hopeless reports whether the broker's answer is about the configuration, not
// about the broker's state.
func hopeless(err error) bool {
	return slices.Contains([]jetstream.ErrorCode{codeInvalidConfig, codeSubjectsOverlap, codeNotClustered}, code(err))
}

// code is the broker's error code, 0 if err is not the broker's.
func code(err error) jetstream.ErrorCode {
	var api *jetstream.APIError
	if errors.As(err, &api) {
		return api.ErrorCode
	}
	var js jetstream.JetStreamError
	if errors.As(err, &js) && js.APIError() != nil {
		return js.APIError().ErrorCode
	}
	return 0
}
