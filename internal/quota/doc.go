// Package quota says when Graph may be called. Graph counts an app's calls in a
// tenant over 20 s, throttled ones too, and any number of workers share that. So
// each quota is one cell in a key-value bucket, moved by compare-and-swap:
//
//	             Take          Lease, a batch            compare-and-swap
//	callers ───────────► Bucket ───────────────► Cell ◄──────────────────► KV "quota"
//	        ◄─────────── (one a process          (pure)                       ▲
//	          Permit      and quota)  ── Throttled: a 429 moves the cell ──────┘
//
// A Cell is GCRA's: it knows until when the calls let go so far have paid, at the
// rate, and so when the next may go. A lease is a list of send times, none
// further ahead than Horizon. A send time is good for Valid and then lapses,
// used or not. Nothing is handed back to the cell, so nothing can be handed back twice
// or by a worker that was thought dead; a process keeps an unused permit for its own next caller.
//
// The promise: in any span of length W, calls are allowed inside it by at most
//
//	Rate × (W + Valid + D) + Burst
//
// permits, D being how far apart the workers' clocks are, whoever crashed, lost
// a reply or a swap. D matters only while a process has not yet met another
// whose clock is ahead: then it takes over that clock, and no one who is late
// starves. DefaultWrite and DefaultRead stay below Graph's limits for D = Skew.
//
// A 429 pauses the cell, and afterwards the rate begins at half of what it was and
// grows back. Nobody watches the cell: a process learns of a pause when it next
// asks for send times, and uses at most those it has. So a pause reaches everyone
// within Horizon + Valid.
package quota
