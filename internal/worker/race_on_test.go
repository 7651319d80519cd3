//go:build race

package worker

// raced says that the race detector runs, which makes everything about ten
// times as slow.
const raced = true
