package events

import (
	"slices"
	"strings"
	"testing"
)

func TestKey(t *testing.T) {
	pairs := [][2]string{{"a", "bc"}, {"ab", "c"}, {"", "abc"}, {"abc", ""}, {"/jira", "1"}, {"/servicenow", "1"}, {"/jira", "2"}, {"\x01a", "b"}, {"a", "\x01b"}}
	seen := map[string][2]string{}
	for _, p := range pairs {
		k := Key(p[0], p[1])
		if !isKey(k) || strings.Contains(k, "-r") {
			t.Errorf("Key%q = %q, no key", p, k)
		}
		if q, ok := seen[k]; ok {
			t.Errorf("%q and %q have one key", p, q)
		}
		seen[k] = p
	}
	// The keys of stored messages must never change.
	if got := Key("/servicenow/acme", "CHG0031337-1"); got != "ok70b5ehat96u2mihbs7jpqv02" {
		t.Errorf("Key = %q", got)
	}
	if got := TicketToken("CHG0031337"); got != "jjkrrqvapimedibm" {
		t.Errorf("TicketToken = %q", got)
	}
}

func TestSubjectRoundTrip(t *testing.T) {
	e := exampleEvent()
	if want := "changes.v1.acme." + e.Device + "." + Key(e.Source, e.ID) + "." + TicketToken(e.Ticket); e.Subject() != want {
		t.Errorf("Subject = %s, want %s", e.Subject(), want)
	}
	for _, suffix := range []string{"", "-r1", "-r12"} {
		ref := e.Ref()
		ref.Key += suffix
		if got, err := ParseRef(ref.String()); err != nil || got != ref {
			t.Errorf("ParseRef(%s) = %v, %v", ref, got, err)
		}
		subject := ChangesPrefix + ref.String() + "." + TicketToken(e.Ticket)
		got, ticket, err := ParseSubject(subject)
		if err != nil || got != ref || ticket != TicketToken(e.Ticket) {
			t.Errorf("ParseSubject(%s) = %v, %s, %v", subject, got, ticket, err)
		}
		if !strings.HasPrefix(subject, strings.TrimSuffix(ref.ChangesFilter(), "*")) {
			t.Errorf("%s does not match %s", subject, ref.ChangesFilter())
		}
	}
	ref := e.Ref()
	for got, want := range map[string]string{
		e.Address().WakeSubject():   "devices.v1.acme." + e.Device,
		ref.OutcomeSubject("t0"):    "outcomes.v1.acme.t0." + e.Device + "." + ref.Key,
		ref.DeadSubject(Refused):    "dead.v1.refused.acme." + e.Device + "." + ref.Key,
		ref.Address.String() + ".k": "acme." + e.Device + ".k",
	} {
		if got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

func TestOutcomeSubjectRoundTrip(t *testing.T) {
	e := exampleEvent()
	token := TicketToken(e.Ticket)
	target := e
	target.Device = ""
	for _, ref := range []Ref{e.Ref(), {e.Address(), e.Ref().Key + "-r7"}, target.Ref()} {
		subject := ref.OutcomeSubject(token)
		if got, ticket, err := ParseOutcomeSubject(subject); err != nil || got != ref || ticket != token {
			t.Errorf("ParseOutcomeSubject(%s) = %v, %s, %v", subject, got, ticket, err)
		}
		for _, filter := range []string{ref.OutcomesFilter(), FilterTicket("acme", e.Ticket).Outcomes, FilterTicket("*", e.Ticket).Outcomes} {
			if !matches(filter, subject) {
				t.Errorf("%s does not match %s", filter, subject)
			}
		}
	}
	// What follows once a target's device is known.
	if filter := target.Ref().OutcomesFilter(); !matches(filter, e.Ref().OutcomeSubject(token)) {
		t.Errorf("%s does not match the outcome of %s", filter, e.Ref())
	}
	if f := FilterTicket("acme", e.Ticket); !matches(f.Changes, e.Subject()) || !matches(f.Targets, target.Subject()) {
		t.Errorf("%+v does not match %s and %s", f, e.Subject(), target.Subject())
	}
	good := e.Ref().OutcomeSubject(token)
	for _, s := range []string{"", OutcomesPrefix, good + ".x", good + "0", strings.Replace(good, token, "target", 1), strings.Replace(good, e.Device, token, 1),
		strings.Replace(good, "outcomes", "changes", 1), strings.TrimPrefix(good, OutcomesPrefix), strings.Replace(good, token, "*", 1)} {
		_, _, err := ParseOutcomeSubject(s)
		wantInvalid(t, err, "subject", "is not of the form")
	}
}

// matches reports whether a broker would.
func matches(filter, subject string) bool {
	f, s := strings.Split(filter, "."), strings.Split(subject, ".")
	return slices.EqualFunc(f, s, func(f, s string) bool { return f == "*" || f == s })
}

func TestParseRefRefuses(t *testing.T) {
	good := exampleEvent().Ref().String()
	for _, s := range []string{
		"", ".", "..", good + ".", "." + good, good + ".x", good + "-r", good + "-r0", good + "-r01", good + "-r+1", good + "-r-1",
		good + "-r1-r2", good + "-r18446744073709551616", good + " ", good + "\n", strings.ToUpper(good), "*" + good[4:], ">",
		good[:len(good)-1], good + "0", strings.Replace(good, "-", "_", 1), "a\xff" + good[4:], strings.Repeat("x", 9999),
	} {
		_, err := ParseRef(s)
		wantInvalid(t, err, "id", "is not an event's id")
	}
}

func TestParseSubjectRefuses(t *testing.T) {
	good := exampleEvent().Subject()
	for _, s := range []string{
		"", ChangesPrefix, strings.TrimPrefix(good, "changes."), "changes.v2" + good[10:], good + "0", good[:len(good)-1], good + ".x",
		strings.TrimSuffix(good, "."+TicketToken("CHG0031337")), good[:len(good)-1] + "*", good[:len(good)-1] + "z", strings.ToUpper(good),
	} {
		ref, ticket, err := ParseSubject(s)
		wantInvalid(t, err, "subject", "is not of the form")
		if ref != (Ref{}) || ticket != "" {
			t.Errorf("%q: refused, but returned %v, %q", s, ref, ticket)
		}
	}
}

func TestOutcomes(t *testing.T) {
	if Outcome("").Final() || Outcome("").Dead() {
		t.Error("a queued event has an end")
	}
	final, dead := 0, 0
	for _, o := range Outcomes {
		if o.Dead() && !o.Final() {
			t.Errorf("%s is dead and tried again", o)
		}
		if o.Final() {
			final++
		}
		if o.Dead() {
			dead++
		}
	}
	if len(Outcomes) != 12 || final != 8 || dead != 4 {
		t.Errorf("%d outcomes, %d final, %d dead; want 12, 8, 4", len(Outcomes), final, dead)
	}
}
