package stream

import "time"

// A crew is the goroutines that run handlers. They are kept for a moment: a
// handler that calls deeply has its stack grown and copied several times when it
// runs on a new one.
type crew chan func()

// do runs f on a goroutine that is idle, or on a new one.
func (c crew) do(f func()) {
	select {
	case c <- f:
	default:
		go c.work(f)
	}
}

func (c crew) work(f func()) {
	f()
	idle := time.NewTimer(IdleHand)
	defer idle.Stop()
	for {
		select {
		case f := <-c:
			f()
			idle.Reset(IdleHand)
		case <-idle.C:
			return
		}
	}
}
