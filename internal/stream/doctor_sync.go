package stream

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
)

const syncRemedy = "set jetstream.sync_interval: always on every server, or a power failure takes what it has acknowledged since its last sync, two minutes by default"

// A Store is a server's part of JetStream's configuration, as its monitoring
// shows it.
type Store struct {
	Config struct {
		SyncInterval time.Duration `json:"sync_interval"`
		SyncAlways   bool          `json:"sync_always"`
	} `json:"config"`
}

// sync asks whether servers write through to the disk before they acknowledge.
func (x *exam) sync(ctx context.Context) []Finding {
	all, err := x.ping(ctx, pingStores)
	if len(all) == 0 {
		return []Finding{{Note, "sync_interval", "cannot be seen from this account", deniedRemedy(err, syncRemedy+"; relayctl doctor --monitor URL looks")}}
	}
	var fs []Finding
	for _, v := range all {
		if v.JS {
			fs = append(fs, SyncFinding(v.Name, v.data))
		}
	}
	return fs
}

// SyncFinding judges what a server's monitoring says of JetStream: the answer to
// /jsz.
func SyncFinding(server string, jsz []byte) Finding {
	var s Store
	switch err := json.Unmarshal(jsz, &s); {
	case err != nil || !strings.Contains(string(jsz), `"config"`):
		return Finding{Note, "sync_interval", server + " does not say", syncRemedy}
	case s.Config.SyncAlways:
		return Finding{Level: OK, What: "sync_interval", Detail: server + " syncs before it acknowledges"}
	}
	return Finding{Bad, "sync_interval", fmt.Sprintf("%s syncs every %s, and acknowledges before", server, s.Config.SyncInterval), syncRemedy}
}

// account checks the limits that the account has beside the streams'.
func (x *exam) account(ctx context.Context) []Finding {
	var fs []Finding
	err := x.ask(ctx, "$JS.API.INFO", func(ctx context.Context) error {
		a, err := x.s.js.AccountInfo(ctx)
		if err == nil && a.Limits.MaxStore > 0 {
			fs = append(fs, fill("account storage", "the account", a.Store, uint64(a.Limits.MaxStore), "raise its disk storage, or shorten nats.retention")...)
		}
		if err == nil && a.Limits.MaxConsumers > 0 && len(x.Tenants)+consumersBeside > a.Limits.MaxConsumers {
			fs = append(fs, Finding{Bad, "account consumers", fmt.Sprintf("%d are allowed, and %d are needed: one a tenant, and %d", a.Limits.MaxConsumers, len(x.Tenants)+consumersBeside, consumersBeside), "raise the account's max_consumers"})
		}
		return err
	})
	if err != nil {
		return []Finding{cannot("account", err)}
	}
	return fs
}

// consumersBeside are those that are not a tenant's: fold and resolve.
const consumersBeside = 2

// deniedRemedy names the permission if that is what is missing.
func deniedRemedy(err error, otherwise string) string {
	if d := (*deniedError)(nil); errors.As(err, &d) {
		return d.remedy() + "; " + otherwise
	}
	return otherwise
}
