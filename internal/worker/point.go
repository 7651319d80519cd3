package worker

// A Point is a place where a crash makes a difference: just before or after a
// write, a call or an ack. Tests stop a worker at each.
type Point string

// The points, in the order in which an event meets them.
const (
	FoldPulled   Point = "fold pulled"      // before the document is written
	FoldWritten  Point = "fold written"     // before the wake-up
	FoldWoken    Point = "fold woken"       // before the ack
	FoldAcked    Point = "fold acked"       //
	Woken        Point = "woken"            // before the document is read
	Observed     Point = "observed"         // Graph was read, the document not written
	Seen         Point = "seen"             //
	Announced    Point = "announced"        // the attempt is written, Graph not called
	Called       Point = "called"           // Graph has answered, the document does not know
	Answered     Point = "answered"         // the answer is written
	Buried       Point = "buried"           // dead letters are stored, outcomes not
	Published    Point = "published"        // outcomes are stored, not cleared
	Cleared      Point = "cleared"          //
	Settled      Point = "settled"          // before the wake-up's ack
	Acknowledged Point = "acknowledged"     //
	InvalidDead  Point = "invalid buried"   // an invalid event's dead letter is stored, its outcome not
	InvalidEnded Point = "invalid reported" // before its ack
)

// Points lists all of them.
var Points = []Point{FoldPulled, FoldWritten, FoldWoken, FoldAcked, Woken, Observed, Seen, Announced, Called, Answered,
	Buried, Published, Cleared, Settled, Acknowledged, InvalidDead, InvalidEnded}
