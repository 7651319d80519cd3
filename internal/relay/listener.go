package relay

import (
	"net"
	"sync"
)

// A boundedListener accepts no more connections than it has slots; others wait
// in the kernel's queue until one is closed.
type boundedListener struct {
	*net.TCPListener
	slots  chan struct{} // holds one for each connection
	closed chan struct{}
	close  func() error
}

func bounded(l *net.TCPListener, most int) *boundedListener {
	b := &boundedListener{TCPListener: l, slots: make(chan struct{}, most), closed: make(chan struct{})}
	b.close = sync.OnceValue(func() error { close(b.closed); return l.Close() })
	return b
}

// Accept waits for a slot, and then for a connection.
func (b *boundedListener) Accept() (net.Conn, error) {
	select {
	case b.slots <- struct{}{}:
	case <-b.closed:
		return nil, net.ErrClosed
	}
	c, err := b.AcceptTCP()
	if err != nil {
		<-b.slots
		return nil, err
	}
	return &slotConn{c, sync.OnceFunc(func() { <-b.slots })}, nil
}

func (b *boundedListener) Close() error { return b.close() }

// A slotConn gives its slot back when it is closed. It is a *net.TCPConn
// otherwise: the server half-closes connections so that a refused sender can
// read why.
type slotConn struct {
	*net.TCPConn
	free func()
}

func (c *slotConn) Close() error {
	defer c.free()
	return c.TCPConn.Close()
}
