package main

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

var (
	typed     = regexp.MustCompile("(?m)^ {4}(relayctl [^|\n]*)|`(relayctl [a-z][^`\n]*)`")
	shellWord = regexp.MustCompile(`"[^"]*"|\S+`)
	stand     = strings.NewReplacer("NUMBER…", "12", "NUMBER", "12", "…", "")
)

// Each command of the manual is one that relayctl takes: its flags, its
// arguments and their values.
func TestDocsHaveRealCommands(t *testing.T) {
	manual, err := os.ReadFile("../../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	tried := 0
	for _, m := range typed.FindAllStringSubmatch(string(manual), -1) {
		line := stand.Replace(strings.TrimSpace(m[1] + m[2]))
		k, err := kong.New(program(nil).CLI, kong.Name("relayctl"), kong.Vars{"version": "test"}, kong.Exit(func(int) {}))
		if err != nil {
			t.Fatal(err)
		}
		_, err = k.Parse(arguments(line))
		if inline := m[1] == "" && err != nil; inline && (strings.Contains(err.Error(), "expected") || strings.Contains(err.Error(), "missing")) {
			err = nil // a name in a sentence needs no arguments
		}
		if err != nil {
			t.Errorf("%s: %v", line, err)
		}
		tried++
	}
	if tried < 30 {
		t.Errorf("only %d commands were found", tried)
	}
}

// arguments are the line's, after the program's name, as a shell would have them.
func arguments(line string) (args []string) {
	for _, w := range shellWord.FindAllString(line, -1)[1:] {
		args = append(args, strings.Trim(w, `"`))
	}
	return args
}
