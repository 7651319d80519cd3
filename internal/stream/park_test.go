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
		{Source: "desk", Reason: "body: is empty", Ticket: "CHG 7", At: at},
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
		ofTicket(letter(3, "desk", "", "body: is empty", nil, 0), "CHG 7"),
		letter(4, "desk", long, long, large, 1<<20-ParkHeaders),
	}
	have, err := s.Letters(t.Context(), "dead.v1.invalid.unknown.>", 0, 10)
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

// ofTicket is the letter as one whose ticket is known.
func ofTicket(l DeadLetter, ticket string) DeadLetter {
	l.Ticket = ticket
	l.Subject += "." + events.TicketToken(ticket)
	return l
}

// What was parked is found by its ticket, for whoever may see its source.
func TestFindParked(t *testing.T) {
	t.Parallel()
	s := solo(t)
	for i, p := range []Parked{
		{Source: "snow", Ticket: "CHG7", Reason: "device: is empty"}, {Source: "snow-eu", Ticket: "CHG7", Reason: "device: is a name"},
		{Source: "snow", Ticket: "CHG8", Reason: "of another"}, {Source: "snow", Reason: "of none"}, {Source: "desk", Ticket: "CHG7", Reason: "of another source"},
	} {
		p.Body, p.At = []byte(fmt.Sprint(i)), decided.Add(time.Duration(i)*time.Second)
		if err := s.Park(t.Context(), p); err != nil {
			t.Fatal(err)
		}
	}
	sources := map[string]string{"snow": "acme", "snow-eu": "", "other": "x"}
	for most, want := range map[int]string{10: "2 dead.1:acme:device: is empty dead.2::device: is a name", 1: "2 dead.1:acme:device: is empty"} {
		found, total, err := s.FindParked(t.Context(), "CHG7", sources, most)
		got := fmt.Sprint(total)
		for _, r := range found {
			got += " " + r.ID + ":" + r.Tenant + ":" + r.Reason
			if r.Outcome != events.Invalid || r.State != events.Final || r.Ticket != "CHG7" || r.Ended.Before(decided) {
				t.Errorf("%+v", r)
			}
		}
		if err != nil || got != want {
			t.Errorf("%s, %v; want %s", got, err, want)
		}
	}
	if err := s.Drop(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	if found, total, err := s.FindParked(t.Context(), "CHG7", sources, 10); err != nil || total != 1 || len(found) != 1 || found[0].ID != "dead.2" {
		t.Errorf("after one is dropped: %v of %d, %v", found, total, err)
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
