package graphsim

import (
	"encoding/binary"
	"encoding/hex"
	"math/rand/v2"
	"sync"
)

// dice are the simulator's only chance: the same seed and the same calls give the same run. They
// make ids, not secrets; tokens come from crypto/rand.
type dice struct {
	mu  sync.Mutex
	src *rand.ChaCha8
	r   *rand.Rand
}

func newDice(seed uint64) *dice {
	var key [32]byte
	binary.LittleEndian.PutUint64(key[:], seed)
	src := rand.NewChaCha8(key)
	return &dice{src: src, r: rand.New(src)} // #nosec G404 -- a simulator is to be the same each time
}

// id is a GUID.
func (d *dice) id() string {
	var b [16]byte
	d.mu.Lock()
	_, _ = d.src.Read(b[:]) // never fails
	d.mu.Unlock()
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	var t [36]byte
	hex.Encode(t[:8], b[:4])
	hex.Encode(t[9:13], b[4:6])
	hex.Encode(t[14:18], b[6:8])
	hex.Encode(t[19:23], b[8:10])
	hex.Encode(t[24:], b[10:])
	t[8], t[13], t[18], t[23] = '-', '-', '-', '-'
	return string(t[:])
}

// chance is true in the given part of all cases; 0 means always.
func (d *dice) chance(p float64) bool {
	if p <= 0 || p >= 1 {
		return true
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.r.Float64() < p
}

func (d *dice) shuffle(n int, swap func(i, j int)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.r.Shuffle(n, swap)
}

// guid says whether a text has the shape of a GUID.
func guid(s string) bool {
	if len(s) != 36 {
		return false
	}
	for i := range len(s) {
		switch c := s[i]; {
		case i == 8 || i == 13 || i == 18 || i == 23:
			if c != '-' {
				return false
			}
		case (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'f'):
			return false
		}
	}
	return true
}
