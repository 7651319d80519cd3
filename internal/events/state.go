package events

// A State says how far a stored event has come.
type State string

// The states. An event may go back and forth between those before Final.
const (
	Queued  State = "queued"  // stored, and not in its device's document yet
	Folded  State = "folded"  // in the document, and not being told yet
	Waiting State = "waiting" // something else must pass first
	Called  State = "called"  // a call to Graph that carries it is open
	Final   State = "final"   // its outcome is known, and stays
)

// States lists all of them, for docs.
var States = []State{Queued, Folded, Waiting, Called, Final}
