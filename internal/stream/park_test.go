package stream

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"strings"
	"testing"
	"time"

	"changerelay/internal/events"
)

func TestPark(t *testing.T) {
	t.Parallel()
	s := solo(t)
	at := time.Date(2026, 11, 23, 10, 0, 0, 5, time.UTC)
	broken := []byte("{\"description\":\"a \"quoted\"\r\n\x00\xff\"}")
	large := bytes.Repeat([]byte("0123456789abcdef"), 5<<20/16)
	for _, p := range []Parked{
		{Source: "snow", Delivery: "d-1\r\nGrants: everything", Reason: "body: is no JSON", Body: broken, At: at},
		{Source: "snow", Delivery: "d-2", Reason: "another", Body: broken, At: at.Add(time.Hour)}, // the same bytes
		{Source: "desk", Reason: "body: is no JSON", Body: broken, At: at},
		{Source: "desk", Reason: "body: is empty", At: at},
		{Source: "desk", Delivery: strings.Repeat("é", 5000), Reason: strings.Repeat("é", 5000), Body: large, At: at},
	} {
		if err := s.Park(t.Context(), p); err != nil {
			t.Fatal(err)
		}
	}
	letter := func(n uint64, source, delivery, reason string, body []byte, keep int) DeadLetter {
		digest := fmt.Sprintf("%x", sha256.Sum256(body))
		return DeadLetter{
			Subject: "dead.v1.invalid.unknown." + source + "-" + digest, Outcome: events.Invalid, Reason: reason, Data: body[:keep],
			Origin: "webhook " + source, At: at, Number: n, Source: source, Delivery: delivery, SHA256: digest, Size: len(body),
		}
	}
	long := strings.Repeat("é", maxReason) + "…"
	want := []DeadLetter{
		letter(1, "snow", "d-1  Grants: everything", "body: is no JSON", broken, len(broken)),
		letter(2, "desk", "", "body: is no JSON", broken, len(broken)),
		letter(3, "desk", "", "body: is empty", nil, 0),
		letter(4, "desk", long, long, large, 1<<20-ParkHeaders),
	}
	have, err := s.Letters(t.Context(), "dead.v1.invalid.unknown.*", 0, 10)
	if err != nil || len(have) != len(want) {
		t.Fatalf("%d letters, %v; want %d", len(have), err, len(want))
	}
	for i := range want {
		if !bytes.Equal(have[i].Data, want[i].Data) {
			t.Errorf("letter %d has other bytes, %d of them", want[i].Number, len(have[i].Data))
		}
		have[i].Data, want[i].Data = nil, nil
		if fmt.Sprintf("%+v", have[i]) != fmt.Sprintf("%+v", want[i]) {
			t.Errorf("the letter is\n%+v, want\n%+v", have[i], want[i])
		}
	}
}

// A name goes into a subject.
func TestParkWantsAName(t *testing.T) {
	t.Parallel()
	s := solo(t)
	for _, name := range []string{"", "a.b", "a b", "*", ">", "Snow", "a\r\nb"} {
		if err := s.Park(t.Context(), Parked{Source: name}); err == nil || !strings.Contains(err.Error(), "source") {
			t.Errorf("%q: %v, want an error that names the source", name, err)
		}
	}
}
