package quota

import "time"

// A Limit is how fast calls may go.
type Limit struct {
	Rate  float64 // calls a second, 0.001 to 1 000 000; what is outside is moved inside
	Burst int     // calls that may go at once after a quiet time, 1 to 1 000 000
}

// The limits per app and tenant. Graph allows 200 writes and 2 000 calls of any
// kind in 20 s. In 20 s and Valid, with clocks that are Skew apart, these let go
// 197 writes, and 1 715 reads beside them.
var (
	DefaultWrite = Limit{Rate: 7, Burst: 20}
	DefaultRead  = Limit{Rate: 60, Burst: 200}
)

// Bounds of a cell.
const (
	Horizon  = time.Second            // send times are leased so far ahead: a pause reaches everyone so late, and a crash wastes as much
	Valid    = 250 * time.Millisecond // a send time may be used so long after it came: two writes to the broker lie between
	Skew     = 5 * time.Second        // workers' clocks may differ so much; as ledger.Timing has it
	MaxPause = 10 * time.Minute       // longest pause, whatever Graph asks: 315 s has been seen
	RampFor  = 2 * time.Minute        // after a pause the whole rate is back within; a 429 later than that is the first again

	pauseFirst = 5 * time.Second // pause after a 429 that asks for nothing, doubled by each in a row
	leastShare = 1.0 / 16        // of the rate after however many 429s: slow, and never still

	slowest   = 0.001     // calls a second
	fastest   = 1_000_000 // calls a second; gaps are whole nanoseconds
	mostBurst = 1_000_000 // calls
	mostLease = 1024      // send times in one lease, 24 KiB of memory

	resumeFor = time.Hour // a resumption is kept so long: longer than any pause, and than a worker needs to hear of it
)

// Bounds of a bucket.
const (
	askFor    = 5 * time.Second        // a lease, with all its tries; then the waiters are told the broker's error
	failPause = 250 * time.Millisecond // after a broker's error, whatever the callers do
	tellFor   = 5 * time.Second        // telling the other workers of a 429; the pause holds here meanwhile
)

// sane moves what a configuration may say into what the arithmetic can bear.
func (l Limit) sane() Limit {
	if !(l.Rate >= slowest) { // or not a number
		l.Rate = slowest
	}
	return Limit{min(l.Rate, fastest), min(max(l.Burst, 1), mostBurst)}
}

// gap is the time one call pays for at that share of the rate.
func (l Limit) gap(share float64) time.Duration {
	return time.Duration(float64(time.Second) / (l.Rate * share))
}

// slack is how far ahead of their time calls may go: the burst.
func (l Limit) slack() time.Duration {
	return time.Duration(float64(l.Burst-1) / l.Rate * float64(time.Second))
}
