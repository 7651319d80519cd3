package stream

import (
	"fmt"
	"time"
)

// What Doctor calls much.
const (
	eventMemory = 250     // bytes of the broker's memory a stored message, measured
	muchMemory  = 1 << 30 // bytes of it that are worth a note
	fullAt      = 0.70    // of a limit of bytes
	rateAfter   = time.Hour
	day         = 24 * time.Hour
)

// size says how large a stream is, and how large it will be.
func (x *exam) size(p *patient) (fs []Finding) {
	c, s := p.info.Config, p.info.State
	if x.MaxAge > 0 && c.MaxAge > 0 && c.MaxAge < x.MaxAge && (p.name == Changes || p.name == Dead || p.name == Outcomes || p.name == Targets) {
		fs = append(fs, Finding{Bad, p.name + " retention", fmt.Sprintf("forgets after %s, but an event may be told for %s (worker.timing.max_age)", c.MaxAge, x.MaxAge), "set nats.retention to more, and restart a service"})
	}
	if c.MaxBytes > 0 {
		fs = append(fs, fill(p.name+" fill", p.name, s.Bytes, uint64(c.MaxBytes), "raise it (nats stream edit "+p.name+" --max-bytes=…), or shorten nats.retention")...)
	}
	if s.Msgs == 0 {
		return fs
	}
	f, detail := x.forecast(p), fmt.Sprintf("%d messages, %s on disk, about %s of each replica's memory", s.Msgs, volume(s.Bytes), volume(s.Msgs*eventMemory))
	finding := Finding{Level: OK, What: p.name + " size", Detail: detail}
	if f.known {
		finding.Detail += fmt.Sprintf("; %.0f a day", f.daily)
		if f.most > 0 {
			finding.Detail += fmt.Sprintf(", so after %s %s on disk and %s of memory", c.MaxAge, volume(f.mostBytes), volume(f.most*eventMemory))
		}
		if f.full > 0 {
			finding.Level, finding.Remedy = Note, "raise max_bytes, or shorten nats.retention: full, it refuses messages"
			finding.Detail += fmt.Sprintf("; it is full in %.0f days", f.full)
		}
	}
	if max(s.Msgs, f.most)*eventMemory > muchMemory {
		finding.Level = Note
		if finding.Remedy == "" {
			finding.Remedy = "see that the servers have that memory, or shorten nats.retention"
		}
	}
	return append(fs, finding)
}

// A forecast goes on with the rate at which messages have come so far.
type forecast struct {
	known           bool    // messages have come for long enough
	daily           float64 // messages
	most, mostBytes uint64  // when the oldest begin to be forgotten; 0 if they never are
	full            float64 // days until MaxBytes, if it comes to that before; 0 if not
}

func (x *exam) forecast(p *patient) (f forecast) {
	c, s := p.info.Config, p.info.State
	span := s.LastTime.Sub(s.FirstTime)
	if span < rateAfter || c.MaxMsgsPerSubject == 1 && c.MaxAge == 0 { // documents and wake-ups replace each other
		return f
	}
	days := float64(span) / float64(day)
	f.known, f.daily = true, float64(s.Msgs)/days
	dailyBytes := float64(s.Bytes) / days
	if c.MaxAge > 0 {
		f.most = max(s.Msgs, uint64(f.daily*float64(c.MaxAge)/float64(day)))
		f.mostBytes = max(s.Bytes, uint64(dailyBytes*float64(c.MaxAge)/float64(day)))
	}
	if c.MaxBytes > 0 && dailyBytes > 0 && (f.most == 0 || f.mostBytes > uint64(c.MaxBytes)) {
		f.full = max(float64(c.MaxBytes)-float64(s.Bytes), 0) / dailyBytes
	}
	return f
}

// fill is about a limit of bytes.
func fill(what, who string, used, most uint64, remedy string) []Finding {
	share := float64(used) / float64(most)
	f := Finding{Level: OK, What: what, Detail: fmt.Sprintf("%.0f %% of %s are used", 100*share, volume(most))}
	if share > fullAt {
		f.Level, f.Remedy = Bad, remedy
		f.Detail += "; full, " + who + " refuses messages"
	}
	return []Finding{f}
}

// volume writes a number of them in a unit that people read.
func volume(n uint64) string {
	v := float64(n)
	for _, unit := range []string{"B", "kB", "MB", "GB"} {
		if v < 1000 {
			return fmt.Sprintf("%.3g %s", v, unit)
		}
		v /= 1000
	}
	return fmt.Sprintf("%.3g TB", v)
}
