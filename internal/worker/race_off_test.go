//go:build !race

package worker

// raced says whether the race detector runs.
const raced = false
