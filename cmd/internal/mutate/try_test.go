package main

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/txtar"
)

// small is a module of which all ends come: in room nobody tests the bound, no
// loop ends without its condition, and a name that is nowhere used does not compile.
const small = `
-- go.mod --
module small

go 1.26
-- small.go --
package small

func room(n int) bool { return n < 30 }

func last(n int) int {
	for i := 0; ; i++ {
		if i == n {
			return i
		}
	}
}
-- small_test.go --
package small

import "testing"

func TestRoom(t *testing.T) {
	if !room(1) || room(99) {
		t.Error("there is room, or none")
	}
}

func TestLast(t *testing.T) {
	if last(3) != 3 {
		t.Error("it is not the last")
	}
}

func TestSlow(t *testing.T) { t.Error("it is skipped") }
-- broker_test.go --
package small

import _ "small/internal/natstest"

var broker = 1
-- needs_test.go --
package small

var needs = broker
-- internal/natstest/natstest.go --
package natstest

this is not compiled
`

func TestRun(t *testing.T) {
	if testing.Short() {
		t.Skip("it runs the compiler for a while")
	}
	dir := t.TempDir()
	for _, f := range txtar.Parse([]byte(small)).Files {
		put(t, filepath.Join(dir, f.Name), string(f.Data))
	}
	file, list := filepath.Join(dir, "small.go"), filepath.Join(dir, "testdata", "survivors.txt")
	run := func(only string) (string, error) {
		var out bytes.Buffer
		err := run(t.Context(), config{skip: "^TestSlow$", only: regexp.MustCompile(only), spare: 3 * time.Second}, &out, []string{file})
		return out.String(), err
	}
	has := func(out, want string) {
		t.Helper()
		if !regexp.MustCompile(want).MatchString(out) {
			t.Errorf("there is no %q in\n%s", want, out)
		}
	}

	out, err := run("room")
	if err == nil {
		t.Error("survivors that nobody has listed are fine")
	}
	has(out, `left out: broker_test.go needs_test.go`)
	has(out, `survived +3 small.go room: n < 30 → n <= 30`)
	has(out, `killed +3 small.go room: n < 30 → n >= 30 by TestRoom`)
	has(out, `not listed: small.go room: 30 → 31`)

	put(t, list, "# For people.\nsmall.go room: n < 30 → n <= 30 # why\nsmall.go room: 30 → 31 # why\nsmall.go room: 30 → 29 # why\n")
	if out, err = run("room"); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	has(out, `small.go. \| 6 \| 3 \| 0 \| 3 \| 0 \|`)

	put(t, list, "small.go room: n < 30 → n >= 30 # why\n")
	out, err = run(`n >= 30|: 0 → 1|i == n → never|return i → return 0`)
	if err == nil {
		t.Error("a listed mutant may be killed")
	}
	has(out, `it is listed, and killed: small.go room: n < 30 → n >= 30`)
	has(out, `survived +6 small.go last: 0 → 1`)
	has(out, `hung +7 small.go last: i == n → never`)
}

func put(t *testing.T, file, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestProblems(t *testing.T) {
	a, b := mutant{file: "a.go", place: "f", old: "1", new: "2"}, mutant{file: "a.go", place: "f", old: "1", new: "0"}
	rs := []result{{a, survived, ""}, {b, killed, ""}}
	for list, want := range map[string]string{
		a.String():                           "",
		"":                                   "nobody notices",
		a.String() + " # why\n" + b.String(): "it is listed, and killed",
		a.String() + " # why\na.go f: 1 → 3 # gone\n": "not made any more",
	} {
		file := filepath.Join(t.TempDir(), "survivors.txt")
		put(t, file, strings.TrimSuffix(list, "\n")+" # why\n")
		l, err := readList(file)
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(problems(l, rs, true), "; "); !strings.Contains(got, want) || want == "" && got != "" {
			t.Errorf("with the list %q: %q, want %q", list, got, want)
		}
	}
	for _, bad := range []string{"a.go f: 1 → 2", "a.go f: 1 → 2 # ", "a.go f: 1 → 2 # x\na.go f: 1 → 2 # y"} {
		file := filepath.Join(t.TempDir(), "survivors.txt")
		put(t, file, bad)
		if l, err := readList(file); err == nil {
			t.Errorf("%q is read as %v", bad, l)
		}
	}
}
