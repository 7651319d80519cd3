package source

import (
	"fmt"
	"slices"
	"strings"
)

// judge returns nil if the record is an approval, and *Ignored if not.
func (r record) judge() error {
	if r.approval == nil {
		return r.judgeWord()
	}
	why, err := r.approval(r)
	if why != "" {
		return &Ignored{why}
	}
	return err
}

// judgeWord looks for one of the words that approve. What is not there, or what a
// template or a script writes for a field that it misspells, is not Ignored:
// every change of that sender would be lost in silence.
func (r record) judgeWord() error {
	if r.paths[Approval] == nil { // the sender sends approvals only
		return nil
	}
	f := r.find(Approval)
	word := strings.TrimSpace(words(f.value))
	switch {
	case !f.there:
		return r.absent(Approval)
	case !isPlain(f.value):
		return invalid(f.at.text, "want "+meant[Approval]+", as text")
	case r.approves(word):
		return nil
	case word == "":
		return &Ignored{fmt.Sprintf("the record is not approved: %s is empty", f.at.text)}
	case unfilled(word) != "":
		return invalid(f.at.text, unfilled(word))
	}
	return &Ignored{fmt.Sprintf("the record is not approved: %s says %s, not %s; what else approves is set under approved",
		f.at.text, shown(word), r.wanted())}
}

// approves reports whether a word is one that approves, in any letters.
func (r record) approves(word string) bool {
	return slices.ContainsFunc(r.approved, func(w string) bool { return strings.EqualFold(w, strings.TrimSpace(word)) })
}

// wanted is the words that approve, for people.
func (r record) wanted() string { return strings.Join(r.approved, " or ") }
