package main

import "time"

// Bounds of the tour. Nothing healthy comes near those in minutes: they end a
// tour that hangs.
const (
	upWithin      = time.Minute      // a program's start, on a busy machine
	stopWithin    = 20 * time.Second // a program's stop; then it is killed
	stateWithin   = time.Minute      // what the day waits for
	outcomeWithin = 2 * time.Minute  // a ticket's end: what a killed worker had in hand comes back after 45 s
	sendWithin    = time.Minute      // all of a desk's tries: the broker is away for a while

	throttlePause = 20               // seconds that Graph asks for: longer than the workers' gauges take to show it
	rateOver      = 10 * time.Second // the window of rates, Grafana's $__rate_interval: several scrapes
	points        = 150              // values in a row of a picture, at most: its size
	shown         = 14               // lines of an answer that are printed
)
