package source

import "time"

// Bounds of a body, whatever its kind.
const (
	// MaxDepth is how deep a body may be nested. Jira's are 8 deep.
	MaxDepth = 64

	// MaxBatch is how many events a body may ask for. They are stored one after
	// the other before the one answer, and a broker can take milliseconds for each.
	MaxBatch = 100

	// MaxRecords is how many records of a body are looked at. Most of a batch may
	// be no approval: that costs no store.
	MaxRecords = 1000

	// MaxDecodeTime ends the expressions of one delivery: what their own units
	// hold for cheap, such as an operator's regular expression over long texts. It
	// is the one bound that depends on the machine, and ten times what the units of
	// a delivery take.
	MaxDecodeTime = 2 * time.Second

	// maxNear is in how many members of a body a misspelt path is looked for.
	// ServiceNow's records have about a hundred.
	maxNear = 256

	// maxShown is how many characters of a sender's word a reason quotes.
	maxShown = 40
)
