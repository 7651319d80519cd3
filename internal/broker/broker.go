// Package broker is what the packages stream, ledger and quota share of NATS
// JetStream: requests that cost little, and key-value buckets that are written by
// compare-and-swap and read from their leader.
//
// A bucket is used as the streams are, by hand. nats.go's KeyValue reads from any
// replica unless the bucket forbids it, and takes four times the processor time
// for each request.
//
// The package knows neither events nor documents.
package broker

import "time"

// Bounds of the compare-and-swap loop.
const (
	swapPause = 2 * time.Millisecond   // about; first pause after a lost swap, doubled to
	swapSlow  = 100 * time.Millisecond // about
	TryFor    = 2 * time.Second        // one read or one write; fsync on a busy R3 takes tens of milliseconds
	Tries     = 6                      // without an answer; together they ride out a change of leader
	tryPause  = 200 * time.Millisecond // about; added by each
)
