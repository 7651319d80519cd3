package ledger

import (
	"encoding/json"
	"strconv"
	"time"
)

// A pen writes the stored form as encoding/json would, for a quarter of its time:
// a visit writes the document three times. A test compares the two.
type pen []byte

// name begins a field of the object that is open.
func (p *pen) name(n string) {
	if b := *p; b[len(b)-1] != '{' {
		*p = append(b, ',')
	}
	*p = append(append(append(*p, '"'), n...), '"', ':')
}

// must writes a text, be it empty or not; text, number and flag leave out what is
// nothing.
func (p *pen) must(n, s string) {
	p.name(n)
	p.quote(s)
}

func (p *pen) text(n, s string) {
	if s != "" {
		p.must(n, s)
	}
}

// quote writes most strings as they are. What needs care is left to encoding/json.
func (p *pen) quote(s string) {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' {
			b, _ := json.Marshal(s) // of a string it never fails
			*p = append(*p, b...)
			return
		}
	}
	*p = append(append(append(*p, '"'), s...), '"')
}

func (p *pen) number(n string, v int) {
	if v != 0 {
		p.name(n)
		p.digits(v)
	}
}

func (p *pen) digits(v int) { *p = strconv.AppendInt(*p, int64(v), 10) }

func (p *pen) count(n string, v uint64) {
	p.name(n)
	*p = strconv.AppendUint(*p, v, 10)
}

func (p *pen) flag(n string, v bool) {
	if v {
		p.name(n)
		*p = append(*p, "true"...)
	}
}

// stamp writes a time, and leaves the zero one out if it may.
func (p *pen) stamp(n string, s stamp, always bool) {
	if always || !s.IsZero() {
		p.name(n)
		*p = s.append(*p)
	}
}

// append writes seconds as a number, or with a fraction as text.
func (s stamp) append(b []byte) []byte {
	nanos := s.Nanosecond()
	if nanos == 0 {
		return strconv.AppendInt(b, s.Unix(), 10)
	}
	b = append(strconv.AppendInt(append(b, '"'), s.Unix(), 10), '.')
	for unit := int(time.Second / 10); nanos > 0; unit /= 10 {
		b = append(b, "0123456789"[nanos/unit])
		nanos %= unit
	}
	return append(b, '"')
}

// numbers writes a list of places; an empty one only if it must be there.
func (p *pen) numbers(n string, vs []int, always bool) {
	if len(vs) == 0 && !always {
		return
	}
	p.name(n)
	if vs == nil {
		*p = append(*p, "null"...)
		return
	}
	*p = append(*p, '[')
	for i, v := range vs {
		p.comma(i)
		p.digits(v)
	}
	*p = append(*p, ']')
}

func (p *pen) comma(i int) {
	if i > 0 {
		*p = append(*p, ',')
	}
}

// rows writes what there is of a list.
func rows[T any](p *pen, n string, vs []T, each func(T)) {
	if len(vs) == 0 {
		return
	}
	p.name(n)
	*p = append(*p, '[')
	for i, v := range vs {
		p.comma(i)
		each(v)
	}
	*p = append(*p, ']')
}

func (p *pen) open()  { *p = append(*p, '{') }
func (p *pen) close() { *p = append(*p, '}') }
