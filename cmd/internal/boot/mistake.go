package boot

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// A Mistake is one thing wrong in the configuration file. Its Reason never
// quotes the file's lines: somebody may have pasted a secret there.
type Mistake struct {
	File         string
	Line, Column int    // 1-based
	Key          string // the config path, as tenants.acme.tenant_id; empty when the file is no YAML
	Reason       string // what is wrong, and the remedy
}

func (m Mistake) Error() string {
	at := fmt.Sprintf("%s:%d:%d: ", m.File, m.Line, m.Column)
	if m.Key != "" {
		at += m.Key + ": "
	}
	return at + m.Reason
}

// Mistakes is everything wrong in the file, a line each, in the file's order:
// whoever mends it should not have to start the program once per mistake.
type Mistakes []Mistake

func (ms Mistakes) Error() string {
	lines := make([]string, len(ms))
	for i, m := range ms {
		lines[i] = m.Error()
	}
	return strings.Join(lines, "\n")
}

func (ms Mistakes) sorted() Mistakes {
	slices.SortStableFunc(ms, func(a, b Mistake) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return ms
}

// unknownKey is the reason given for a key that nothing reads.
func unknownKey(key string, allowed []string) string {
	if near := nearest(key, allowed); near != "" {
		return fmt.Sprintf("unknown key, did you mean %q? (allowed here: %s)", near, strings.Join(allowed, ", "))
	}
	return "unknown key (allowed here: " + strings.Join(allowed, ", ") + ")"
}

// nearest is the word that was probably meant, or "".
func nearest(word string, words []string) string {
	word = strings.ReplaceAll(strings.ToLower(word), "-", "_")
	best, least := "", 3 // two slips of the finger, not three
	for _, w := range words {
		if d := distance(word, w); d < least && d < len(w) {
			best, least = w, d
		}
	}
	return best
}

// distance is Levenshtein's, row by row.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
