// Package runbook holds the alerts of the chart, and what docs/operations.md
// tells whoever is woken, to what they promise.
//
//	files_test.go      every alert has a severity, a text, a runbook entry and tests; every metric is in the manual
//	promtool_test.go   the tests of deploy/rules-tests, by promtool: each alert fires when it should and only then
//	live_test.go       real programs, a real broker and a real Prometheus: a dead worker, a broker that is away, dead letters
//	backup_test.go     the broker's data are copied, and an older copy is put back
//
// The live tests cannot wait for hours. They run the rules with every duration
// divided by one number, and nothing else changed: see quicken_test.go.
package runbook
