//go:build !unmeasured

package metrics

// unmeasured builds have no metrics. Only the benchmark of what metrics cost makes
// one; it is a constant so that others do not pay for it.
const unmeasured = false
