package verify

import (
	"net/http"
	"testing"
	"time"
)

// All keys of a check are asked, whichever fits, those that are not active too:
// else the time of an answer would tell which one it was.
func TestChooseAsksAllKeys(t *testing.T) {
	ring := []key{{id: "a"}, {id: "b"}, {id: "past", notAfter: clock.Add(-time.Hour)}, {id: "d"}}
	for fitting := -1; fitting < len(ring); fitting++ {
		asked := 0
		choose(ring, clock, BadSecret, func(i int) int {
			asked++
			if i == fitting {
				return 1
			}
			return 0
		})
		if asked != len(ring) {
			t.Errorf("key %d fits: %d of %d are asked", fitting, asked, len(ring))
		}
	}
}

// counted is a check that lets in or not, and counts.
type counted struct {
	refusal Reason
	made    int
}

func (c *counted) verify(*Request, time.Time) (Delivery, Reason) {
	c.made++
	return Delivery{}, c.refusal
}

func (c *counted) about() about { return about{name: "counted"} }

// All checks are made, after one has refused too.
func TestAllChecksAreMade(t *testing.T) {
	for _, refusals := range [][]Reason{{"", ""}, {BadSecret, ""}, {"", BadSecret}, {BadToken, BadSecret}} {
		a, b := &counted{refusal: refusals[0]}, &counted{refusal: refusals[1]}
		_, err := (&Verifier{[]check{a, b}}).Verify(&Request{Header: http.Header{}}, clock)
		if a.made != 1 || b.made != 1 {
			t.Errorf("%q: %d and %d checks are made, %v", refusals, a.made, b.made, err)
		}
	}
}
