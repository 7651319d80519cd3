package graphsim

import "time"

const (
	defaultJournal    = 100_000          // calls kept
	maxBody           = 1 << 20          // bytes of a request; a full set is about 4 KiB
	maxItemID         = 40               // characters; the documented length of itemId
	keptVersions      = 4                // sets kept per device when ShowLag needs fewer, for one that is set later
	maxPage           = 1000             // devices in a page of the list
	readHeaderTimeout = 10 * time.Second // of a connection that says nothing
	idleTimeout       = 2 * time.Minute  // like Graph's front ends
	defaultWindow     = 20 * time.Second // documented throttling window
	defaultTokenLife  = time.Hour        // documented: 60 to 90 minutes
	hugeRetryAfter    = 100_000          // seconds; a day and more, to see whether a client caps it
)

// Knobs are the parts of the contract that differ between tenants, or that nobody has documented.
type Knobs struct {
	PostLimitApp, PostLimitTenant int           // writes per Window, per app in a tenant and per tenant; 0 = no limit
	AnyLimitApp, AnyLimitTenant   int           // requests of any kind
	Window                        time.Duration // sliding; 0 = 20 s
	RetryAfter                    string        // on a 429: "seconds" (default), "date", "absent", "huge"
	ShowLag                       time.Duration // reads show the state this old
	NeverShown                    bool          // reads never show the action, as seen with other actions
	CheckIn                       time.Duration // an online device goes from initiated to done in this time; 0 = at once
	AutoRestore                   time.Duration // Intune restores an item this long after its removal, 8 to 24 h; 0 = never
	ItemCap                       int           // items in a set, and in a result; 0 = no cap
	EmptyRestoresAll              bool          // POST [] restores everything; otherwise it is refused
	TokenLife                     time.Duration // 0 = 1 h
	RefuseReadOnlyFields          bool          // 400 for read-only properties in a request; otherwise they are ignored
}

// DefaultKnobs is the documented behaviour.
func DefaultKnobs() Knobs {
	return Knobs{
		PostLimitApp: 200, PostLimitTenant: 400, AnyLimitApp: 2000, AnyLimitTenant: 4000,
		Window: defaultWindow, RetryAfter: "seconds",
		CheckIn: time.Minute, AutoRestore: 8 * time.Hour, ItemCap: 30,
		EmptyRestoresAll: true, TokenLife: defaultTokenLife,
	}
}

// Set replaces the knobs. What was due under the old ones has happened before.
func (s *Sim) Set(k Knobs) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.look()
	for _, d := range s.devices {
		d.put(d.set().at(now, s.rules()), now, s.knobs.ShowLag)
	}
	if k.Window <= 0 {
		k.Window = defaultWindow
	}
	if k.TokenLife <= 0 {
		k.TokenLife = defaultTokenLife
	}
	s.knobs = k
}

// rules is what the pure set has to know of the knobs.
func (s *Sim) rules() rules {
	return rules{checkIn: s.knobs.CheckIn, autoRestore: s.knobs.AutoRestore, cap: s.knobs.ItemCap}
}
