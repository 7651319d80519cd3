package trial

import (
	"net"
	"sync"
	"time"
)

// A link carries one program's connections to another, and can be broken.
type link struct {
	ln net.Listener
	to string

	mu    sync.Mutex
	mood  mood
	open  map[net.Conn]bool
	ended bool
}

// A mood is how a link treats what it carries.
type mood int

const (
	well  mood = iota
	cut        // connections are dropped, and none is taken
	deaf       // what comes back is kept from the caller until the link is mended, and then dropped with the connection
	sleek      // nothing passes either way, and nobody is told: a partition without resets
	slow       // each piece takes slowBy longer, each way
)

func newLink(to string) (*link, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	l := &link{ln: ln, to: to, open: map[net.Conn]bool{}}
	go l.serve()
	return l, nil
}

func (l *link) addr() string { return l.ln.Addr().String() }

func (l *link) serve() {
	for {
		c, err := l.ln.Accept()
		if err != nil {
			return
		}
		go l.carry(c)
	}
}

func (l *link) carry(c net.Conn) {
	defer func() { _ = c.Close() }()
	if l.now() == cut {
		return
	}
	far, err := net.DialTimeout("tcp", l.to, time.Second)
	if err != nil {
		return
	}
	defer func() { _ = far.Close() }()
	if !l.keep(c, far) {
		return
	}
	defer l.forget(c, far)
	done := make(chan struct{}, 2)
	go func() { l.copy(far, c, false); done <- struct{}{} }()
	go func() { l.copy(c, far, true); done <- struct{}{} }()
	<-done
}

// copy moves bytes one way; back is towards the caller.
func (l *link) copy(to, from net.Conn, back bool) {
	b := make([]byte, 32<<10)
	for {
		n, err := from.Read(b)
		if err != nil {
			return
		}
		for m := l.now(); m == sleek || m == deaf && back; m = l.now() {
			time.Sleep(moodEvery) // held back; mend drops the connection
		}
		if l.now() == slow {
			time.Sleep(slowBy)
		}
		if _, err := to.Write(b[:n]); err != nil {
			return
		}
	}
}

func (l *link) now() mood {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.mood
}

// set changes the link's mood. A cut, and the end of a mood that has swallowed
// something, drop what is open.
func (l *link) set(m mood) {
	l.mu.Lock()
	defer l.mu.Unlock()
	drop := m == cut || l.mood == deaf || l.mood == sleek
	if drop {
		for c := range l.open {
			_ = c.Close()
		}
	}
	l.mood = m
}

func (l *link) keep(cs ...net.Conn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range cs {
		l.open[c] = true
	}
	return !l.ended && l.mood != cut
}

func (l *link) forget(cs ...net.Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range cs {
		delete(l.open, c)
	}
}

func (l *link) close() {
	l.mu.Lock()
	l.ended = true
	l.mu.Unlock()
	_ = l.ln.Close()
	l.set(cut)
}
