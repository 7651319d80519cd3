package importtest

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"testing"
)

const module = "changerelay/"

// A place is where a package stands, and which of ours it may import. Its
// tests may import everything below it, and the doubles.
type place struct {
	floor float64
	ours  []string // patterns, as in path.Match
}

var all = []string{"internal/*", "internal/*/*", "cmd/internal/*"}

var places = map[string]place{
	"internal/importtest":       {0, nil},
	"internal/events":           {0, nil},
	"internal/graph":            {0, nil},
	"internal/graphsim":         {0, nil},
	"internal/graphsim/control": {1, []string{"internal/graphsim"}},
	"internal/metrics":          {0, nil},
	"internal/tracing":          {0, nil},
	"internal/tracetest":        {0, nil},
	"internal/natstest":         {0, nil},
	"internal/await":            {0, nil},
	"internal/dashboard":        {0, nil},
	"internal/figures":          {0, nil},
	"internal/promtest":         {1, []string{"internal/await"}},
	"internal/picture":          {1, []string{"internal/dashboard"}},
	"internal/proof":            {0, nil},                                           // shares nothing with what it judges
	"internal/trial":            {1, []string{"internal/events", "internal/proof"}}, // runs the programs, and imports none of what they are made of
	"internal/broker":           {0.5, nil},
	"internal/stream":           {1, []string{"internal/events", "internal/broker", "internal/tracing"}},
	"internal/ledger":           {1, []string{"internal/events", "internal/broker"}},
	"internal/quota":            {1, []string{"internal/events", "internal/broker"}},
	"internal/ingest/verify":    {1, []string{"internal/events"}},
	"internal/ingest/source":    {1, []string{"internal/events"}},
	"internal/ingest":           {2, []string{"internal/events", "internal/metrics", "internal/tracing", "internal/ingest/verify", "internal/ingest/source"}},
	"internal/worker":           {2, []string{"internal/events", "internal/ledger", "internal/quota", "internal/graph", "internal/stream", "internal/metrics", "internal/tracing"}},
	"internal/relay":            {3, []string{"internal/events", "internal/metrics", "internal/tracing", "internal/stream", "internal/ledger", "internal/quota", "internal/ingest"}}, // not the worker, nor Graph: ingest's binary has this
	"internal/working":          {3, []string{"internal/metrics", "internal/tracing", "internal/stream", "internal/ledger", "internal/quota", "internal/worker"}},
	"internal/runbook":          {4, nil},
	"internal/standalone":       {4, []string{"internal/graphsim", "internal/ingest/verify"}},
	"cmd/internal/boot":         {4, []string{"internal/relay", "internal/metrics", "internal/tracing", "internal/ingest", "internal/ingest/verify", "internal/ingest/source", "internal/stream", "internal/ledger", "internal/quota"}}, // makes parts of the configuration; every command carries what it imports
	"cmd/internal/conform":      {3, nil},
	"cmd/internal/mutate":       {6, nil}, // knows Go, and nothing of what it breaks
	"cmd/internal/bench":        {6, []string{"internal/figures"}},
	"cmd/internal/tour":         {6, []string{"internal/events", "internal/dashboard", "internal/picture", "internal/ingest/verify", "internal/standalone", "cmd/internal/boot"}}, // plays a day on the built programs
	"cmd/internal/tenants":      {5, []string{"cmd/internal/boot", "internal/tracing", "internal/graph", "internal/ledger", "internal/quota", "internal/worker", "internal/working"}},
	"cmd/worker":                {6, []string{"cmd/internal/*", "internal/relay"}}, // its memory counts
	"cmd/*":                     {6, all},
	"deploy":                    {6, nil}, // tests alone
	"deploy/image":              {0, nil},
	"deploy/schemas":            {0, nil},
	"deploy/e2e":                {0, nil},
	"deploy/e2e/probe":          {0, nil}, // knows the documents, and shares nothing with what it judges
	"deploy/sbom":               {0, nil},

	// What a program that decodes plugs into source; nothing below the programs knows it.
	"internal/ingest/expression": {1.5, []string{"internal/events", "internal/ingest/source"}},
}

// doubles stand in for the world outside, in any package's tests.
var doubles = []string{"internal/natstest", "internal/promtest", "internal/graphsim", "internal/tracetest", "internal/await"}

// forTests are packages that only tests import.
var forTests = []string{"internal/natstest", "internal/promtest", "internal/tracetest", "internal/await"}

// plugs register themselves with a package; its tests, of a package of their own,
// may import them to have it whole.
var plugs = map[string]string{"internal/ingest/expression": "internal/ingest/source"}

// modules says who may know each third-party module: packages, and packages
// whose tests may. A longer prefix is asked first.
var modules = []struct{ prefix, code, tests string }{
	{"github.com/nats-io/nats-server", "internal/standalone internal/natstest", "*"},
	{"github.com/nats-io", "internal/broker internal/stream internal/ledger internal/quota internal/relay internal/working internal/natstest internal/trial cmd/internal/* cmd/* deploy/e2e/probe", "internal/worker internal/standalone"},
	{"github.com/labstack/echo", "internal/ingest", ""},
	{"github.com/AzureAD/microsoft-authentication-library-for-go", "internal/graph", "internal/graphsim"},
	{"software.sslmate.com/src/go-pkcs12", "internal/graph", "cmd/internal/boot"},
	{"github.com/prometheus", "internal/metrics internal/relay cmd/*", "internal/ingest internal/worker internal/standalone cmd/internal/tenants"},
	{"github.com/alecthomas/kong", "cmd/* cmd/internal/boot", ""},
	{"github.com/goccy/go-yaml", "cmd/* cmd/internal/boot deploy/schemas", "deploy internal/runbook"},
	{"github.com/golang-jwt/jwt", "internal/ingest/verify", "*"},
	{"github.com/MicahParks", "internal/ingest/verify", ""},
	{"github.com/dunglas/httpsfv", "internal/ingest/verify", ""},
	{"cel.dev/cel-go", "internal/ingest/expression", ""},
	{"github.com/santhosh-tekuri/jsonschema", "cmd/internal/conform", ""},
	{"github.com/getkin/kin-openapi", "", "internal/ingest"},
	{"github.com/dop251/goja", "", "cmd/internal/boot"}, // runs the manual's scripts
	{"go.opentelemetry.io/proto", "internal/tracing internal/tracetest", ""},
	{"go.opentelemetry.io", "internal/tracing", ""},
	{"google.golang.org/protobuf", "internal/tracing internal/tracetest", ""},
	{"golang.org/x/time", "internal/ingest", ""},
	{"golang.org/x/sync", "*", ""},
	{"go.uber.org/goleak", "", "*"},
	{"github.com/rogpeppe/go-internal", "", "*"},
}

// find looks a package up in the table; commands share one row.
func find(pkg string) (place, bool) {
	if p, ok := places[pkg]; ok {
		return p, true
	}
	if in(pkg, []string{"cmd/*"}) && pkg != "cmd/internal" {
		return places["cmd/*"], true
	}
	return place{}, false
}

func in(pkg string, patterns []string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool {
		ok, err := path.Match(p, pkg)
		if err != nil {
			panic(err) // the patterns are ours
		}
		return ok
	})
}

// verdict says why pkg must not import what it imports, or nothing.
func verdict(pkg, imported string, isTest bool) string {
	first, _, _ := strings.Cut(imported, "/")
	switch {
	case imported == "C":
		return "cgo would need a C compiler and a libc in the image"
	case strings.HasPrefix(imported, module):
		return ours(pkg, strings.TrimPrefix(imported, module), isTest)
	case strings.Contains(first, "."):
		return theirs(pkg, imported, isTest)
	case !isTest && !in(pkg, forTests) && (first == "testing" || imported == "net/http/httptest"):
		return "test code does not belong in a program"
	}
	return ""
}

func ours(pkg, imported string, isTest bool) string {
	if isTest && (in(imported, doubles) || imported == pkg || plugs[imported] == pkg) {
		return "" // an external test imports what it tests
	}
	if in(imported, forTests) && !in(pkg, forTests) {
		return "it is for tests only"
	}
	from, _ := find(pkg)
	to, ok := find(imported)
	switch {
	case !ok:
		return "it has no place in the table"
	case to.floor == from.floor:
		return fmt.Sprintf("siblings on floor %v do not import each other", to.floor)
	case to.floor > from.floor:
		return fmt.Sprintf("imports go downward, this goes from floor %v up to %v", from.floor, to.floor)
	case !isTest && !in(imported, from.ours):
		return pkg + " must not know it"
	}
	return ""
}

func theirs(pkg, imported string, isTest bool) string {
	for _, m := range modules {
		if imported != m.prefix && !strings.HasPrefix(imported, m.prefix+"/") {
			continue
		}
		who := strings.Fields(m.code)
		if isTest {
			who = append(who, strings.Fields(m.tests)...)
		}
		if slices.Contains(who, "*") || in(pkg, who) {
			return ""
		}
		return "only " + strings.Join(who, ", ") + " may"
	}
	return "the module is not in the table"
}

func TestVerdict(t *testing.T) {
	const test = true
	for _, c := range []struct {
		pkg, imported string
		isTest, fine  bool
	}{
		// downward, by the table
		{"internal/ledger", "changerelay/internal/events", false, true},
		{"internal/worker", "changerelay/internal/graph", false, true},
		{"internal/ingest", "changerelay/internal/ingest/verify", false, true},
		{"internal/relay", "changerelay/internal/ingest", false, true},
		{"internal/relay", "changerelay/internal/ledger", false, true},
		{"internal/relay", "changerelay/internal/graph", false, false},
		{"internal/relay", "changerelay/internal/worker", false, false},
		{"cmd/ingest", "changerelay/internal/ingest", false, true},
		{"cmd/ingest", "changerelay/cmd/internal/boot", false, true},
		{"cmd/ingest", "changerelay/internal/ingest/expression", false, true},
		{"cmd/worker", "changerelay/internal/ingest/expression", false, false},
		{"cmd/worker", "changerelay/cmd/internal/boot", false, true},
		{"cmd/internal/boot", "changerelay/internal/ingest/expression", false, false},
		{"internal/ingest", "changerelay/internal/ingest/expression", false, false},
		{"internal/ledger", "changerelay/internal/graph", false, false},
		{"internal/ingest", "changerelay/internal/stream", false, false},
		{"internal/worker", "changerelay/internal/graphsim", false, false},
		{"internal/worker", "changerelay/internal/ingest/source", false, false},
		{"cmd/internal/boot", "changerelay/internal/stream", false, true},
		// siblings, upward, unknown
		{"internal/ledger", "changerelay/internal/broker", false, true},
		{"internal/broker", "changerelay/internal/ledger", false, false},
		{"internal/worker", "changerelay/internal/broker", false, false},
		{"internal/stream", "changerelay/internal/ledger", false, false},
		{"internal/graphsim", "changerelay/internal/graph", false, false},
		{"internal/ingest/verify", "changerelay/internal/ingest/source", false, false},
		{"internal/ingest", "changerelay/internal/worker", false, false},
		{"cmd/worker", "changerelay/cmd/ingest", false, false},
		{"cmd/internal/boot", "changerelay/internal/standalone", false, false},
		{"internal/events", "changerelay/internal/ledger", false, false},
		{"internal/ingest/verify", "changerelay/internal/ingest", false, false},
		{"internal/standalone", "changerelay/cmd/internal/boot", false, false},
		{"internal/worker", "changerelay/internal/util", false, false},
		// tests
		{"internal/ledger", "changerelay/internal/natstest", test, true},
		{"internal/graph", "changerelay/internal/graphsim", test, true},
		{"internal/graph", "changerelay/internal/graph", test, true},
		{"internal/ingest", "changerelay/internal/stream", test, true},
		{"internal/ingest", "changerelay/internal/ingest/expression", test, true},
		{"internal/ingest/source", "changerelay/internal/ingest/expression", test, true},
		{"internal/ingest/source", "changerelay/internal/ingest/expression", false, false},
		{"internal/ingest/verify", "changerelay/internal/ingest/expression", test, false},
		{"internal/ledger", "changerelay/internal/natstest", false, false},
		{"cmd/standalone", "changerelay/internal/natstest", false, false},
		{"internal/graphsim", "changerelay/internal/graph", test, false},
		{"internal/graphsim/control", "changerelay/internal/graphsim", false, true},
		{"internal/graphsim", "changerelay/internal/graphsim/control", false, false},
		{"internal/graphsim/control", "github.com/goccy/go-yaml", false, false},
		{"internal/stream", "changerelay/internal/ledger", test, false},
		{"internal/ledger", "changerelay/internal/worker", test, false},
		// third parties
		{"internal/stream", "github.com/nats-io/nats.go/jetstream", false, true},
		{"internal/ledger", "github.com/nats-io/nats.go", false, true},
		{"internal/worker", "github.com/nats-io/nats.go", test, true},
		{"internal/worker", "github.com/nats-io/nats.go", false, false},
		{"internal/events", "github.com/nats-io/nats.go", test, false},
		{"internal/natstest", "github.com/nats-io/nats-server/v2/server", false, true},
		{"internal/ingest", "github.com/nats-io/nats-server/v2/server", test, true},
		{"internal/stream", "github.com/nats-io/nats-server/v2/server", false, false},
		{"cmd/worker", "github.com/nats-io/nats-server/v2/server", false, false},
		{"internal/ingest", "github.com/labstack/echo/v4", false, true},
		{"internal/metrics", "github.com/labstack/echo/v4", false, false},
		{"internal/graph", "github.com/AzureAD/microsoft-authentication-library-for-go/apps/confidential", false, true},
		{"internal/graphsim", "github.com/AzureAD/microsoft-authentication-library-for-go/apps/confidential", test, true},
		{"internal/graphsim", "github.com/AzureAD/microsoft-authentication-library-for-go/apps/confidential", false, false},
		{"internal/metrics", "github.com/prometheus/client_golang/prometheus", false, true},
		{"internal/ingest", "github.com/prometheus/client_golang/prometheus", false, false},
		{"internal/graph", "github.com/prometheus/client_golang/prometheus", test, false},
		{"cmd/internal/boot", "github.com/goccy/go-yaml", false, true},
		{"cmd/internal/boot", "github.com/dop251/goja", test, true},
		{"cmd/internal/boot", "github.com/dop251/goja", false, false},
		{"internal/ingest/source", "github.com/goccy/go-yaml", false, false},
		{"internal/ingest/source", "cel.dev/cel-go/cel", test, false},
		{"internal/ingest/expression", "cel.dev/cel-go/cel", false, true},
		{"cmd/relayctl", "github.com/alecthomas/kong", false, true},
		{"internal/standalone", "github.com/alecthomas/kong", false, false},
		{"internal/worker", "golang.org/x/sync/errgroup", false, true},
		{"internal/worker", "golang.org/x/synchrotron", false, false},
		{"internal/events", "go.uber.org/goleak", test, true},
		{"internal/events", "go.uber.org/goleak", false, false},
		{"internal/tracing", "go.opentelemetry.io/otel/sdk/trace", false, true},
		{"internal/worker", "go.opentelemetry.io/otel/trace", false, false},
		{"internal/worker", "changerelay/internal/tracing", false, true},
		{"internal/graph", "changerelay/internal/tracing", false, false},
		{"internal/worker", "changerelay/internal/tracetest", false, false},
		{"internal/events", "example.com/new", false, false},
		// the standard library
		{"internal/events", "time", false, true},
		{"internal/natstest", "testing", false, true},
		{"internal/ingest", "net/http/httptest", test, true},
		{"internal/graphsim", "testing", false, false},
		{"internal/graphsim", "testing/synctest", false, false},
		{"internal/graphsim", "net/http/httptest", false, false},
		{"internal/events", "C", false, false},
	} {
		if why := verdict(c.pkg, c.imported, c.isTest); (why == "") != c.fine {
			t.Errorf("%s imports %s (in a test: %t): fine should be %t, verdict %q", c.pkg, c.imported, c.isTest, c.fine, why)
		}
	}
}

func TestFind(t *testing.T) {
	for pkg, want := range map[string]bool{
		"internal/events": true, "cmd/relayctl": true, "cmd/internal/boot": true,
		"deploy/image": true, "deploy/e2e/probe": true, "deploy/more": false,
		"internal/util": false, "cmd/internal": false, "cmd/internal/more": false, "cmd/relayctl/more": false, ".": false,
	} {
		if _, ok := find(pkg); ok != want {
			t.Errorf("%s is in the table: %t, want %t", pkg, ok, want)
		}
	}
}
