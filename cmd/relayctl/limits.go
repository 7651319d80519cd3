package main

import (
	"time"

	"changerelay/internal/ingest"
)

// Every bound of the tool, with its unit and reason.
const (
	// connectWithin is the wait for a broker that does not answer at once: a
	// person is waiting, and a server that restarts takes about a second.
	connectWithin = 2 * time.Second

	// askWithin bounds all questions of one command to the broker; a leader's
	// failover stalls for 5.3 s (measured).
	askWithin = 15 * time.Second

	// answerWithin bounds one request to the relay, which answers within 15 s of
	// what it was asked to wait.
	answerWithin = 20 * time.Second

	// lateBy is how long after the end of --wait an answer is waited for: the relay
	// looks once more when its own wait ends.
	lateBy = 5 * time.Second

	// graphWithin bounds one question to Graph, token included.
	graphWithin = 30 * time.Second

	// pollMin and pollMax are the least times between two questions of --wait,
	// doubled from one to the other. A relay that waits takes longer to answer.
	pollMin = 100 * time.Millisecond
	pollMax = 2 * time.Second

	// maxAnswer is the most that is read of an answer, bytes. A receipt with 30
	// items is about 4 kB, and a ticket has at most 100.
	maxAnswer = 1 << 20

	// maxRequest is the largest file with a request, bytes: the largest body that
	// ingest takes, and room for its head and for what frames its chunks.
	maxRequest = ingest.MaxBody + 1<<20

	// expiresSoon is how long before its end doctor warns of a key: time to make
	// a new one, and to have it put in at both ends.
	expiresSoon = 14 * 24 * time.Hour

	// maxReason is how much of a reason dead list shows, characters.
	maxReason = 90

	// deadPage is how many dead letters are held at once: bodies are up to 64 kB
	// each, parked ones up to 1 MB.
	deadPage = 64

	// recordedWithin is how long before a replay's event its audit record may have
	// been stored: a broker's failover is between them, at worst, and a retry.
	recordedWithin = 5 * time.Minute

	// maxRecords is how many audit records from then on are looked through.
	maxRecords = 1000

	// planRows is how many letters are shown before a question about them: a
	// screen.
	planRows = 40

	// progressEvery is the pause between lines about a long command.
	progressEvery = 2 * time.Second

	// userWithin bounds the question who the broker takes us for; one whose
	// permissions forbid it never answers.
	userWithin = time.Second

	// maxText is the longest --as and --why, characters: what a record keeps.
	maxText = 1000

	// watchEvery is the pause of --watch, and watchMin the shortest: each look at a
	// device asks Graph.
	watchEvery = 2 * time.Second
	watchMin   = 100 * time.Millisecond

	// sampleDocs is how many devices' documents doctor looks at without --deep;
	// each is a round trip to the broker.
	sampleDocs = 200

	// settleFor is how long a device may be due without a wake-up before doctor
	// says so: a worker writes the document first.
	settleFor = 2 * time.Second

	// deepWithin bounds doctor --deep: a hundred thousand documents take about
	// two minutes.
	deepWithin = 15 * time.Minute

	// namesShown is how many names stand in one line of doctor: the nine streams, and
	// some tenants.
	namesShown = 12

	// tenantsAtOnce is how many tenants doctor asks at once.
	tenantsAtOnce = 8
)
