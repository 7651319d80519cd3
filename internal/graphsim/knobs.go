package graphsim

import (
	"time"
)

// Knobs are the parts of the contract that differ between tenants, or that nobody has documented.
// The zero value of a text is its first choice.
type Knobs struct {
	PostLimitApp, PostLimitTenant int           // writes per Window, per app in a tenant and per tenant; 0 = no limit
	AnyLimitApp, AnyLimitTenant   int           // requests of any kind
	Window                        time.Duration // sliding; 0 = 20 s
	RetryAfter                    string        // on a 429: "seconds", "date", "absent", "huge"
	ThrottleBody                  string        // of a 429: "documented", "short" (no inner code), "nested" (Intune's JSON)
	ThrottledApplies              bool          // a throttled POST takes effect all the same

	ShowLag    time.Duration // reads show the state this old
	NeverShown bool          // reads never show the action, as seen with other actions
	ActionName string        // of the result; default "changeAssignments"

	CheckIn           time.Duration // an online device goes from initiated to done in this time; 0 = at once
	AutoRestore       time.Duration // Intune restores an item this long after its removal, 8 to 24 h; 0 = never
	AutoRestoreSpread time.Duration // and up to this much later, each item by its own lot (Options.Seed)
	ForgetRestored    time.Duration // a restored item leaves the list after this; 0 = when the list is full

	ItemCap              int    // items in a set, and in a result; 0 = no cap
	EmptyRestoresAll     bool   // POST [] restores everything; otherwise it is refused
	NullIsEmpty          bool   // an absent or null list is []; otherwise it is refused
	MergeDuplicates      bool   // an item listed twice counts once; otherwise the set is refused
	RefuseReadOnlyFields bool   // 400 for read-only properties in a request; otherwise they are ignored
	RepeatRestarts       bool   // an item that is posted again begins its auto-restore clock anew
	RepeatRetries        bool   // an item in error that is posted again is tried again
	WhilePending         string // a POST before the last one is done: "merge" (takes effect), "refuse" (409), "queue"

	TokenLife    time.Duration // 0 = 1 h
	CAETokenLife time.Duration // of tokens whose client declared cp1; 0 = TokenLife. Entra: up to 24 h
	RefreshIn    time.Duration // refresh_in of a token; 0 = half of a life over two hours, else absent

	ClockSkew time.Duration // Graph's and Entra's clock is so far ahead of the simulator's, or behind; at most a day

	ReadRolePosts  bool   // Read.All is enough to post, as the page once said
	ComanagedRoute bool   // comanagedDevices/{id} works; otherwise 400, as seen in the field
	NoScriptRoutes bool   // the routes through scripts' run states answer 400
	GoneForm       string // of an unknown device: "ResourceNotFound" (404), "NotFound" (404), "Gone" (410)
	InnerError     string // spelled "innerError", "innererror", "nested" (one in the other)

	Approval            string // multi admin approval: "off", "documented" (403), "field" (412)
	JustificationStatus int    // for a missing justification: 400 (default), 403
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
