package verify

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/MicahParks/jwkset"
)

// Bounds of fetching an issuer's keys.
const (
	fetchEvery   = time.Hour       // issuers publish a key long before they sign with it
	askEvery     = time.Minute     // between fetches that unknown kids cause: anybody can make one up
	firstRetry   = time.Second     // after a fetch that failed; doubled up to
	lastRetry    = time.Minute     // this
	fetchTimeout = 5 * time.Second // of one fetch
	longestWait  = 2 * time.Second // of a request, for a fetch
	maxKeySet    = 1 << 20         // bytes; Microsoft's has 20 kB
	maxRedirects = 3               // all on the same host
	maxHead      = 64 << 10        // bytes of an answer's headers
)

// A fetcher keeps an issuer's keys. One goroutine fetches them: at the start,
// every hour, and when a request names a key that is not there. Requests with
// such keys share a fetch, and wait for it in bounds. Keys stay when the issuer
// is away.
type fetcher struct {
	*jwkset.MemoryJWKSet
	url    string
	client *http.Client

	ctx   context.Context // ends the goroutine
	end   context.CancelFunc
	ended chan struct{}
	ask   chan struct{} // wakes it; holds one

	mu       sync.Mutex
	fetching chan struct{} // closed when the fetch that is under way ends; nil without one
	asked    time.Time     // of the last fetch that an unknown kid caused
	away     bool          // the last fetch failed, or none has ended
}

func newFetcher(url string, client *http.Client) *fetcher {
	f := &fetcher{
		MemoryJWKSet: jwkset.NewMemoryStorage(), url: url, client: bounded(client), away: true,
		ended: make(chan struct{}), ask: make(chan struct{}, 1), fetching: make(chan struct{}),
	}
	f.ctx, f.end = context.WithCancel(context.Background())
	go f.run()
	return f
}

func (f *fetcher) close() {
	f.end()
	<-f.ended
}

// KeyRead finds a key, after a fetch if need be.
func (f *fetcher) KeyRead(ctx context.Context, id string) (jwkset.JWK, error) {
	if k, err := f.MemoryJWKSet.KeyRead(ctx, id); err == nil {
		return k, nil
	}
	f.wait()
	k, err := f.MemoryJWKSet.KeyRead(ctx, id)
	f.mu.Lock()
	defer f.mu.Unlock()
	if err != nil && (f.away || f.fetching != nil) {
		return k, errKeysAway
	}
	return k, err
}

// wait waits for the fetch that is under way, or for one that it causes; it
// returns at once when the last one is too young.
func (f *fetcher) wait() {
	fetched := f.demand()
	if fetched == nil {
		return
	}
	timer := time.NewTimer(longestWait)
	defer timer.Stop()
	select {
	case <-fetched:
	case <-timer.C:
	case <-f.ctx.Done():
	}
}

func (f *fetcher) demand() (fetched <-chan struct{}) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.fetching == nil && time.Since(f.asked) >= askEvery {
		f.asked, f.fetching = time.Now(), make(chan struct{})
		f.ask <- struct{}{} // has room: begin empties it
	}
	return f.fetching
}

// run fetches until the check is closed.
func (f *fetcher) run() {
	defer close(f.ended)
	for retry := firstRetry; ; {
		pause := fetchEvery
		if f.refresh() == nil {
			retry = firstRetry
		} else {
			pause, retry = retry, min(2*retry, lastRetry)
		}
		select {
		case <-f.ctx.Done():
			return
		case <-f.ask:
		case <-time.After(pause):
		}
	}
}

// refresh fetches the keys in place of those that are there.
func (f *fetcher) refresh() error {
	f.begin()
	raw, err := f.fetch()
	var keys []jwkset.JWK
	if err == nil {
		keys, err = readKeys(raw)
	}
	if err == nil {
		err = f.KeyReplaceAll(f.ctx, keys)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	close(f.fetching)
	f.fetching, f.away = nil, err != nil
	return err
}

func (f *fetcher) begin() {
	f.mu.Lock()
	defer f.mu.Unlock()
	select {
	case <-f.ask: // the time came at the same moment
	default:
	}
	if f.fetching == nil {
		f.fetching = make(chan struct{})
	}
}
