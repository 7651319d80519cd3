package worker

import (
	"math/rand/v2"
	"time"
)

// Bounds of the worker. How long a message may lie still is stream's, how long
// an attempt may be open is ledger.Timing's.
const (
	DefaultMaxAge         = 4 * time.Hour // below Graph's own restore after 8 hours: an older removal may undo it
	DefaultFoldSlots      = 4             // batches; each is a compare-and-swap a device
	DefaultFoldBatch      = 48            // events; those in hand are the most that a busy worker has in memory, 3 KiB each
	DefaultReconcileSlots = 80            // devices of a tenant at once: enough that the broker is not waited for; each takes 30 KiB
	foldsAtOnce           = 16            // devices of one batch
	buriesAtOnce          = 64            // dead letters of a worker under way at once
	resolvesAtOnce        = 128           // targets of all tenants, 64 KiB each at most
	resolvesOfTenant      = 4             // of them; so that it takes 32 tenants whose Graph hangs to keep the others' waiting
	DefaultPace           = time.Second   // between a device's calls: a burst of tickets for it is a handful of calls

	DefaultUnknown = 10 * time.Minute // an event waits so long for a tenant that is not configured: a kubelet may take two minutes to bring a file

	CallTimeout = 20 * time.Second // one request to Graph; shorter than an attempt's Budget
	FoldWithin  = 40 * time.Second // from the pull to the write; shorter than stream.AckWait by more than clocks drift

	buryFor  = 15 * time.Second // one dead letter, its outcome and its ack: with stream.DrainFor it is below a pod's grace of 60 s
	buryWait = time.Second      // a batch with dead letters waits so long in its slot for its turns; the rest comes again

	DiscoverEvery = 15 * time.Second // a tenant's first wake-up by another worker is noticed so late
	MeasureEvery  = 10 * time.Second // age of tenants' gauges; shorter than a scrape's interval

	memorySlack = 24 * time.Hour // tombstones outlive CHANGES and DEAD by so long: a replay made at the end of its letter's life may wait so long for a worker

	copyFor     = time.Minute // a wake-up's copy of its document is looked at for so long; later it is likely to be old
	foldSoon    = time.Minute // an event older than this at its fold may have ended before: the consumer was made anew
	looksAtOnce = 32          // outcomes looked up at once for a batch

	fullMin     = time.Second           // before an event is offered again to a full document, doubled by each offer
	fullMax     = 15 * time.Second      // longest
	handMin     = 50 * time.Millisecond // pause of a newer wake-up of a device that this worker has in hand, doubled by each
	handMax     = 2 * time.Second       // longest
	retryMin    = time.Second           // pause of a device after a call that was certainly not made, doubled by each
	retryMax    = time.Minute           // longest
	noticeEvery = 10 * time.Second      // people are told so often that a tenant's Graph does not answer
	pauseMax    = 10 * time.Minute      // longest pause of a tenant
	turnWait    = 5 * time.Second       // another turn, for a call that is announced; well within its budget
	quotaWait   = 20 * time.Second      // a device waits so long in hand for its turn; then it is put back
	spellLapses = 2 * retryMax          // a pause that nobody has met again for so long after its end is over: no call has tried
	gateFor     = time.Minute           // a paused tenant is not pulled from for so long; then its devices are looked at for expiry
	deniedMin   = time.Minute           // pause of a tenant whose permission is lost, doubled by each
	resumeEvery = 2 * time.Second       // a person's word that a tenant is mended is looked for so often: one read a worker
	resumesMost = 10_000                // devices woken by it: more than DefaultWrite lets be told in a pause's 10 minutes
	writeFor    = 15 * time.Second      // recording an answer that must not be lost with the worker's stop
	findWait    = time.Second           // a target waits so long, for it has one of its tenant's few places
	placeMin    = 50 * time.Millisecond // pause of a target whose tenant's places are taken, doubled by each
	findMax     = time.Minute           // a target is put back for no longer: nothing wakes it when its tenant is resumed
	placeMax    = 15 * time.Second      // longest: thousands of a tenant whose Graph hangs come so often
)

// backoff is doubled with full jitter over its upper half.
func backoff(n uint64, least, most time.Duration) time.Duration {
	d := doubled(n, least, most)
	return d/2 + rand.N(d/2+1) // #nosec G404 -- it spreads load, and keeps nothing secret
}

// doubled is the n-th pause, n from 1.
func doubled(n uint64, least, most time.Duration) time.Duration {
	d := least
	for ; n > 1 && d < most; n-- {
		d *= 2
	}
	return min(d, most)
}
