package trial

import "time"

// The relay's timing in a trial: the real one's shape, some ten times as fast.
const (
	fresh  = 3 * time.Second        // a set is built on a read no older
	lag    = 1 * time.Second        // Graph shows what it has taken within
	settle = 6 * time.Second        // a call without an answer may be applied so late
	skew   = 500 * time.Millisecond // between the workers' clocks: it is one
	budget = 2 * time.Second        // one call
	pace   = 200 * time.Millisecond // between two calls for one device
	maxAge = 4 * time.Hour          // as it is: nothing may expire here
)

// Bounds of the trial itself.
const (
	readyFor   = 60 * time.Second      // a program, or a cluster, must be ready within
	drainFor   = 45 * time.Second      // SIGTERM: the relay promises 40 s
	answerFor  = 15 * time.Second      // the desk waits so long for an answer, then tries again
	faultFor   = 2 * time.Second       // about; a fault and the peace after it
	takes      = 3 * time.Second       // about, what a fault takes in all; in a long trial
	perEvent   = 17 * time.Millisecond // between two events; in a long trial
	senders    = 64                    // requests at once
	patience   = 5 * time.Minute       // an event that is not acknowledged is sent again so long; longer than awayFor and what follows
	desksWait  = 2 * time.Second       // at most, between two tries
	tries      = 40                    // of reading a message when all is over
	slowBy     = 60 * time.Millisecond // of a slow link, each piece
	moodEvery  = 5 * time.Millisecond  // a link looks whether it is mended
	zombie     = budget + skew + lag + settle + 2*time.Second
	lateBy     = 4500 * time.Millisecond // a late apply: later than a read that finds nothing (budget + lag + skew), and earlier than settle
	brokerEnds = 10 * time.Second        // SIGTERM to a broker; then it is killed
	awayFor    = 130 * time.Second       // NATS clients of old gave up after two minutes
	awayAfter  = 2 * time.Minute         // of a trial's beginning
	awayEvery  = 31 * time.Minute        // at most twice an hour
	longRun    = 20 * time.Minute        // and only in a trial that is meant to take longer
	longFaults = 25                      // a trial with as many faults has a server of its own built, with a disk that can be slow
	watchEvery = 2 * time.Second         // Options.Until is looked for
	checkEvery = 100 * time.Millisecond
	sayEvery   = 10 * time.Second
)
