package quota

import (
	"context"
	"encoding/json"
	"fmt"
	"time"
)

// A Notice says why a worker does not call a tenant although its quota would
// allow that: its permission is lost, for one. It binds nobody, for each worker
// finds out by itself; it is for people who ask what an event waits for.
type Notice struct {
	Until time.Time `json:"until"`
	Why   string    `json:"why"` // one line; never a secret
}

// Post keeps a notice under a quota's name; the newest replaces the others.
func (s *Store) Post(ctx context.Context, k Key, n Notice) error {
	b, err := json.Marshal(Notice{plain(n.Until), n.Why})
	if err != nil {
		return fmt.Errorf("posting a notice: %w", err)
	}
	if err := s.bucket.Put(ctx, k.notice(), b); err != nil {
		return fmt.Errorf("posting a notice: %w", err)
	}
	return nil
}

// Notice is the newest notice; the zero one if there was none.
func (s *Store) Notice(ctx context.Context, k Key) (n Notice, err error) {
	b, _, err := s.keys.Load(ctx, k.notice())
	if err == nil && b != nil {
		err = json.Unmarshal(b, &n)
	}
	if err != nil {
		return Notice{}, fmt.Errorf("reading a notice: %w", err)
	}
	return n, nil
}

// notice is the key of the notice, beside those of the classes.
func (k Key) notice() string {
	k.Class = "notice"
	return k.String()
}
