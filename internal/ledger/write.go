package ledger

import "changerelay/internal/events"

// bytes is the stored form, field by field as the types have them.
func (s storedDevice) bytes() []byte {
	b := make(pen, 0, 256+80*len(s.Items)+192*(len(s.Pending)+len(s.Reports))+128*len(s.Told)) // about its length
	p := &b
	p.open()
	p.name("v")
	*p = append(*p, byte('0'+s.Version)) // #nosec G115 -- versions have one digit
	rows(p, "items", s.Items, p.item)
	rows(p, "texts", s.Texts, p.quote)
	p.stamp("seen", s.SeenAt, false)
	p.numbers("held", s.Held, false)
	p.flag("own", s.Own)
	rows(p, "pending", s.Pending, func(e storedEntry) { p.open(); p.entry(e); p.close() })
	rows(p, "told", s.Told, p.word)
	if s.Floor != nil {
		p.name("floor")
		p.open()
		p.order(*s.Floor)
		p.close()
	}
	p.attempt(s.Attempt)
	rows(p, "doubts", s.Doubts, p.doubt)
	p.flag("retell", s.Retell)
	p.stamp("called", s.Called, false)
	p.blame(s.Blame)
	rows(p, "reports", s.Reports, p.report)
	p.close()
	return b
}

func (p *pen) item(it events.Item) {
	p.open()
	p.must("id", it.ID)
	p.must("type", string(it.Type))
	p.close()
}

func (p *pen) order(o storedOrder) {
	p.stamp("t", o.Time, true)
	p.count("s", o.Seq)
	p.must("k", o.Key)
}

func (p *pen) entry(e storedEntry) {
	p.order(e.storedOrder)
	if e.Message != 0 {
		p.count("m", e.Message)
	}
	p.stamp("a", e.Accepted, true)
	p.text("n", e.Ticket)
	p.text("g", e.Target)
	p.numbers("c", e.Changes, true)
	p.number("x", e.Attempts)
	p.text("p", e.Approval)
	p.number("d", int(e.Folded))
	p.number("l", int(e.Called))
	p.numbers("w", e.Requests, false)
	p.number("b", e.Winner)
	p.text("z", e.Trace)
}

func (p *pen) word(w storedWord) {
	p.open()
	p.order(w.storedOrder)
	p.name("c")
	p.digits(w.Change)
	p.stamp("at", w.At, true)
	p.flag("y", w.Yielded)
	p.close()
}

func (p *pen) attempt(a *storedAttempt) {
	if a == nil {
		return
	}
	p.name("attempt")
	p.open()
	p.must("id", a.ID)
	rows(p, "keys", a.Keys, p.quote)
	p.numbers("set", a.Set, false)
	p.stamp("begun", a.Begun, true)
	p.stamp("until", a.Until, true)
	p.close()
}

func (p *pen) doubt(d storedDoubt) {
	p.open()
	p.numbers("set", d.Set, false)
	p.numbers("news", d.News, false)
	p.stamp("until", d.Until, true)
	p.close()
}

func (p *pen) blame(b *storedBlame) {
	if b == nil {
		return
	}
	p.name("blame")
	p.open()
	p.text("k", b.Suspect)
	p.text("r", b.Reason)
	p.text("q", b.Request)
	p.number("probe", b.Probe)
	p.close()
}

func (p *pen) report(r storedReport) {
	p.open()
	p.entry(r.storedEntry)
	p.must("o", string(r.Outcome))
	p.number("r", r.Reason)
	p.number("q", r.Request)
	p.number("f", r.Code)
	p.stamp("e", r.Ended, true)
	p.close()
}
