package expression

// Bounds of expressions; source's limits.go has those of the body, and
// MaxDecodeTime.
const (
	// maxExpression is the length of one expression, in code points. The longest
	// of the cases has 138.
	maxExpression = 4096

	// maxNodes is the size of an expression once its macros are written out.
	maxNodes = 10_000

	// maxCost is what one expression may spend on one record, in CEL's cost
	// units, and maxDeliveryCost what all of a delivery may spend together. A
	// field costs 2, a filter over Jira's 300 custom fields 1200. A unit takes
	// about 0.1 µs, and no bomb of the tests gets 40 MiB for its units.
	maxCost         = 500_000
	maxDeliveryCost = 2_000_000

	// checkEvery is how many rounds of a loop pass between two looks at the clock.
	checkEvery = 64

	// maxText is the longest text that replace and join may make and that json
	// may read, in bytes: they are the functions that can multiply.
	maxText = 256 << 10

	// maxRegex is the size of a regular expression's program: the time for a text
	// grows with it. That of a UUID has 40 instructions.
	maxRegex = 250
)
