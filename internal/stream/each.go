package stream

import "sync"

// each calls f for every item, at most most at once, and returns the first
// error when all are done. A panic of f's is the caller's then.
func each[T any](items []T, most int, f func(T) error) (err error) {
	if len(items) == 1 {
		return f(items[0])
	}
	var (
		wg     sync.WaitGroup
		mu     sync.Mutex
		failed *crash
		slots  = make(chan struct{}, most)
	)
	for _, item := range items {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			var e error
			c := carry(func() { e = f(item) })
			mu.Lock()
			defer mu.Unlock()
			if c != nil {
				failed = c
			}
			if err == nil {
				err = e
			}
		})
	}
	wg.Wait()
	if failed != nil {
		panic(failed)
	}
	return err
}
