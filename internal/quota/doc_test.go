package quota

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
)

// docs/protocol.md says what the limits are.
func TestProtocolDoc(t *testing.T) {
	doc, err := os.ReadFile("../../docs/protocol.md")
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for name, l := range map[string]Limit{"DefaultWrite": DefaultWrite, "DefaultRead": DefaultRead} {
		lines = append(lines, fmt.Sprintf("| `%s` | %v calls/s, %d at once | at most %.0f in 20 s", name, l.Rate, l.Burst, in20s(l)))
	}
	for name, d := range map[string]time.Duration{"Horizon": Horizon, "Valid": Valid, "Skew": Skew, "MaxPause": MaxPause, "RampFor": RampFor} {
		lines = append(lines, fmt.Sprintf("| `%s` | %v | ", name, d))
	}
	for _, line := range lines {
		if !strings.Contains(string(doc), line) {
			t.Errorf("docs/protocol.md does not have:\n%s", line)
		}
	}
}
