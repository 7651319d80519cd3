//go:build unmeasured

package metrics

const unmeasured = true
