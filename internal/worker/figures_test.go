package worker

import (
	"testing"

	"changerelay/internal/figures"
)

// hand gives a run's figures away.
func hand(b *testing.B, p *figures.Part) {
	b.Helper()
	if err := p.Hand(); err != nil {
		b.Error(err)
	}
}

// columns of a run that has no others.
var whatMeasured = []string{"what", "measured:"}
