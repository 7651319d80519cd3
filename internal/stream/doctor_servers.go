package stream

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
)

// MinVersion is the oldest nats-server that does not lose messages of a work
// queue on R3.
const MinVersion = "2.12.5"

// Subjects that servers answer. The first is open to every account: it is of the
// account's own connections, and each server says who it is. The other is for
// those who may see the servers.
const (
	pingServers = "$SYS.REQ.SERVER.PING.CONNZ"
	pingStores  = "$SYS.REQ.SERVER.PING.JSZ"
)

// A node is one nats-server's answer.
type node struct {
	Name    string    `json:"name"`
	Version string    `json:"ver"`
	Time    time.Time `json:"time"` // of its clock
	JS      bool      `json:"jetstream"`

	skew, doubt time.Duration // of its clock to ours, and how exactly that is known
	data        json.RawMessage
}

// servers checks what every server says of itself: its version and its clock.
func (x *exam) servers(ctx context.Context) []Finding {
	all, err := x.ping(ctx, pingServers)
	fs := []Finding{}
	if len(all) == 0 {
		fs = append(fs, Finding{Note, "servers", fmt.Sprintf("only the one connected to was seen: %v", err), deniedRemedy(err, "see the versions of the others with nats server list")})
		all = x.connected(ctx)
	}
	var fine []string
	for _, v := range all {
		if older(v.Version, MinVersion) {
			fs = append(fs, Finding{Bad, "server version", fmt.Sprintf("%s has %q, older than %s, which loses messages", v.Name, v.Version, MinVersion), "upgrade all servers"})
		} else {
			fine = append(fine, v.Name+" "+v.Version)
		}
	}
	if len(fine) > 0 {
		fs = append(fs, Finding{Level: OK, What: "server version", Detail: strings.Join(fine, ", ")})
	}
	return append(fs, clocks(all)...)
}

// connected is what is known of the server connected to: by the answer about any
// stream, if there is one.
func (x *exam) connected(ctx context.Context) []node {
	v := node{Name: cmp.Or(x.s.nc.ConnectedServerName(), "the server"), Version: x.s.nc.ConnectedServerVersion()}
	asked := x.Now()
	_ = x.ask(ctx, "$JS.API.STREAM.INFO."+Changes, func(ctx context.Context) error {
		asked = x.Now()
		st, err := x.s.js.Stream(ctx, Changes)
		if err == nil {
			v.Time = st.CachedInfo().TimeStamp
		}
		return err
	})
	v.measure(asked, x.Now())
	return []node{v}
}

// measure compares the clock: the answer was made between asked and heard.
func (v *node) measure(asked, heard time.Time) {
	if !v.Time.IsZero() {
		v.doubt = heard.Sub(asked) / 2
		v.skew = v.Time.Sub(asked.Add(v.doubt))
	}
}

func clocks(all []node) (fs []Finding) {
	worst := time.Duration(0)
	for _, v := range all {
		if v.skew.Abs()-v.doubt > ClockSkew {
			side := "ahead of"
			if v.skew < 0 {
				side = "behind"
			}
			fs = append(fs, Finding{Bad, "clock", fmt.Sprintf("%s is %s %s this machine's; more than %s lets calls overlap", v.Name, v.skew.Abs().Round(time.Millisecond), side, ClockSkew), "run NTP on both"})
		}
		worst = max(worst, v.skew.Abs())
	}
	if fs == nil {
		fs = append(fs, Finding{Level: OK, What: "clock", Detail: fmt.Sprintf("this machine's and the servers' differ by %s", worst.Round(time.Millisecond))})
	}
	return fs
}

// ping asks all servers at once, and takes the answers until all known ones have
// answered or no more come. Without any answer the error says why.
func (x *exam) ping(ctx context.Context, subject string) (all []node, err error) {
	err = x.askOnce(ctx, subject, func(ctx context.Context) error {
		inbox := x.s.nc.NewInbox()
		sub, err := x.s.nc.SubscribeSync(inbox)
		if err != nil {
			return err
		}
		defer sub.Unsubscribe()
		asked := x.Now()
		if err := x.s.nc.PublishRequest(subject, inbox, []byte(`{"limit":1}`)); err != nil {
			return err
		}
		for len(all) == 0 || len(all) < len(x.s.nc.Servers()) {
			m, err := answer(ctx, sub, len(all) > 0)
			if err != nil {
				return err
			}
			if v, ok := introduce(m); ok {
				v.measure(asked, x.Now())
				all = append(all, v)
			}
		}
		return nil
	})
	slices.SortFunc(all, func(a, b node) int { return strings.Compare(a.Name, b.Name) })
	return all, err
}

func answer(ctx context.Context, sub *nats.Subscription, some bool) (*nats.Msg, error) {
	if some {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, pingQuiet)
		defer cancel()
	}
	return sub.NextMsgWithContext(ctx)
}

func introduce(m *nats.Msg) (v node, ok bool) {
	var said struct {
		Server node            `json:"server"`
		Data   json.RawMessage `json:"data"`
	}
	if json.Unmarshal(m.Data, &said) != nil || said.Server.Name == "" {
		return node{}, false
	}
	said.Server.data = said.Data
	return said.Server, true
}

// older compares the numbers of two versions; what is behind them does not count.
func older(v, than string) bool {
	var have, want [3]int
	_, _ = fmt.Sscanf(v, "%d.%d.%d", &have[0], &have[1], &have[2])
	_, _ = fmt.Sscanf(than, "%d.%d.%d", &want[0], &want[1], &want[2])
	return slices.Compare(have[:], want[:]) < 0
}
