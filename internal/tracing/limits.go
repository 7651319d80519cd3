package tracing

import "time"

// Bounds of tracing.
const (
	MaxLinks      = 64  // links of a span, and so traces of a document's events that are remembered
	maxAttributes = 32  // of a span
	maxText       = 256 // bytes of an attribute
	MaxTickets    = 16  // tickets that a line or a span names; the count of events says how many more

	queueRoom = 2048             // ended spans that wait, about 1 KiB each; more are dropped
	batchMost = 512              // spans of a request
	flushAt   = time.Second      // longest that an ended span waits for others
	tryFor    = 5 * time.Second  // a request; a collector is near
	tries     = 3                // of a batch; meanwhile the queue fills
	tryPause  = time.Second      // before the second, doubled by each
	tellEvery = time.Minute      // the log says so often how many spans were dropped
	maxReply  = 4 << 10          // bytes of the collector's answer that are read
	CloseFor  = 3 * time.Second  // the process's end waits so long for the last spans: with the drains before it, below a pod's grace
	keepAlive = 90 * time.Second // an idle connection to the collector
)
