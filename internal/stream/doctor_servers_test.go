package stream

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"changerelay/internal/await"
	"changerelay/internal/natstest"
)

func TestOlderVersions(t *testing.T) {
	for v, want := range map[string]bool{"2.12.4": true, "2.9.30": true, "1.99.99": true, "": true, "2.12.5": false, "2.12.5-RC.1": false, "2.15.2": false, "3.0.0": false} {
		if older(v, MinVersion) != want {
			t.Errorf("%q is older than %s: %v, want %v", v, MinVersion, !want, want)
		}
	}
}

// find returns the findings on a subject.
func find(fs []Finding, what string) (found []string) {
	for _, f := range fs {
		if f.What == what {
			found = append(found, fmt.Sprintf("%s: %s", f.Level, f.Detail))
		}
	}
	return found
}

// Every server of a cluster is asked, with the permissions of any account.
func TestDoctorAsksEveryServer(t *testing.T) {
	t.Parallel()
	c := natstest.Cluster(t, 3)
	s := open(t, c.URL(), Options{Replicas: 3})
	all := func() []Finding { return Doctor(t.Context(), s.nc, s.o, healthy) }
	var fs []Finding
	await.State(t, "every copy of a new cluster to be current", func() bool {
		fs = all()
		return slices.Equal(find(fs, "replicas"), []string{"ok: 3, all current"})
	})
	v := server.VERSION
	if got, want := find(fs, "server version"), fmt.Sprintf("ok: node-0 %s, node-1 %s, node-2 %s", v, v, v); !slices.Equal(got, []string{want}) {
		t.Errorf("%q, want %q", got, want)
	}
	if got := find(fs, "clock"); len(got) != 1 || !strings.HasPrefix(got[0], "ok: ") {
		t.Errorf("clocks: %q", got)
	}
	for i := range 3 {
		if i != c.Leader(Changes) {
			c.StopServer(i)
			break
		}
	}
	await.State(t, "the server that is away to be missed", func() bool {
		got := find(all(), "CHANGES replicas")
		return len(got) == 1 && strings.HasPrefix(got[0], "bad: node-")
	})
}

// A clock that is wrong is found by the answers of the servers, on either side.
func TestDoctorComparesClocks(t *testing.T) {
	t.Parallel()
	s := solo(t)
	for wrong, want := range map[time.Duration]*regexp.Regexp{
		4 * time.Second: regexp.MustCompile("^ok: "),
		time.Minute:     regexp.MustCompile("^bad: solo is [0-9ms.]+ behind this machine's; more than 5s lets calls overlap$"),
		-time.Minute:    regexp.MustCompile("^bad: solo is [0-9ms.]+ ahead of this machine's;"),
	} {
		e := healthy
		e.Now = func() time.Time { return time.Now().Add(wrong) }
		if got := find(Doctor(t.Context(), s.nc, s.o, e), "clock"); len(got) != 1 || !want.MatchString(got[0]) {
			t.Errorf("with a clock %v off: %q, want %q", wrong, got, want)
		}
	}
}

// configured runs a server with a configuration file, and returns connections of
// its users.
func configured(t *testing.T, conf string) (as func(user string) *nats.Conn) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "nats.conf")
	if err := os.WriteFile(file, []byte(conf), 0o600); err != nil {
		t.Fatal(err)
	}
	b := natstest.Server(t, func(o *server.Options) {
		f, err := server.ProcessConfigFile(file)
		if err != nil {
			t.Fatal(err)
		}
		o.Accounts, o.Users, o.SystemAccount, o.SyncAlways = f.Accounts, f.Users, f.SystemAccount, f.SyncAlways
	})
	return func(user string) *nats.Conn {
		return natstest.Connect(t, strings.Replace(b.URL(), "//", "//"+user+":x@", 1))
	}
}

// Who may see the servers' stores is told how they sync.
func TestDoctorAsksHowServersSync(t *testing.T) {
	t.Parallel()
	for sync, want := range map[string]string{"always": "ok: solo syncs before it acknowledges", "5m": "bad: solo syncs every "} {
		as := configured(t, `
jetstream { sync_interval: `+sync+` }
accounts {
  SYS: { users: [{user: sys, password: x}], exports: [{service: "$SYS.REQ.SERVER.PING.JSZ", response: stream}] }
  R: { jetstream: enabled, users: [{user: relay, password: x}], imports: [{service: {account: SYS, subject: "$SYS.REQ.SERVER.PING.JSZ"}}] }
}
system_account: SYS
`)
		nc := as("relay")
		if _, err := Open(t.Context(), nc, Options{}); err != nil {
			t.Fatal(err)
		}
		if got := find(Doctor(t.Context(), nc, Options{}, healthy), "sync_interval"); len(got) != 1 || !strings.HasPrefix(got[0], want) {
			t.Errorf("sync_interval %s: %q, want %q", sync, got, want)
		}
	}
}

// What the user may not ask is named, and the rest is asked all the same.
func TestDoctorNamesPermissions(t *testing.T) {
	t.Parallel()
	as := configured(t, `
accounts { R: { jetstream: {max_file: 1G}, users: [
  {user: relay, password: x}
  {user: some, password: x, permissions: {publish: {deny: ["$JS.API.STREAM.INFO.DEAD", "$JS.API.INFO", "$JS.API.CONSUMER.LIST.CHANGES", "$SYS.>"]}}}
  {user: none, password: x, permissions: {publish: {deny: ">"}}}
  {user: deaf, password: x, permissions: {subscribe: {deny: "_INBOX.>"}}}
] } }
`)
	if _, err := Open(t.Context(), as("relay"), Options{}); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	fs := Doctor(t.Context(), as("some"), Options{}, healthy)
	for what, subject := range map[string]string{"DEAD": "$JS.API.STREAM.INFO.DEAD", "account": "$JS.API.INFO", "CHANGES consumers": "$JS.API.CONSUMER.LIST.CHANGES", "servers": pingServers, "sync_interval": pingStores} {
		i := slices.IndexFunc(fs, func(f Finding) bool { return f.What == what })
		if i < 0 || fs[i].Level != Note || !strings.HasPrefix(fs[i].Remedy, "allow the user to publish to "+subject+", or run this as one who may") {
			t.Errorf("on %s: %+v", what, fs)
		}
	}
	if got := find(fs, "OUTCOMES"); !slices.Equal(got, []string{"ok: as declared"}) {
		t.Errorf("what it may ask: %q", got)
	}
	if took := time.Since(began); took > ReadTry {
		t.Errorf("it waited for answers that were denied: %v", took)
	}
	for _, user := range []string{"none", "deaf"} {
		for _, f := range Doctor(t.Context(), as(user), Options{}, healthy) {
			if f.Level == Bad || f.Level == Note && f.What != "replicas" && !strings.Contains(f.Remedy, "allow the user to ") {
				t.Errorf("%s: %+v", user, f)
			}
		}
	}
}

// An exam that is cut short leaves questions behind; that they are refused is not
// told to the connection's own handler.
func TestRefusalsOfAnExamThatWasCutShort(t *testing.T) {
	t.Parallel()
	b := natstest.Server(t, natstest.Config(t, `authorization { users = [{user: "u", password: "p", permissions: {publish: "allowed"}}] }`))
	told := make(chan error, 2)
	nc := natstest.Connect(t, b.URL(), nats.UserInfo("u", "p"), nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) { told <- err }))
	d := listen(nc)
	d.watch("forbidden", func(error) {})
	if err := nc.Publish("forbidden", nil); err != nil {
		t.Fatal(err)
	}
	d.stop()
	if err := nc.Publish("also", nil); err != nil {
		t.Fatal(err)
	}
	if err := <-told; !strings.Contains(err.Error(), `"also"`) {
		t.Errorf("the handler was told %v", err)
	}
}

// An account that is nearly full, or too small, is found.
func TestDoctorChecksTheAccount(t *testing.T) {
	t.Parallel()
	as := configured(t, `accounts { R: { jetstream: {max_file: 20K, max_consumers: 2}, users: [{user: relay, password: x}] } }`)
	s, err := Open(t.Context(), as("relay"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	send(t, s, "dead.v1.invalid.unknown.s1", make([]byte, 15<<10))
	fs := Doctor(t.Context(), s.nc, s.o, healthy)
	if got := find(fs, "account storage"); len(got) != 1 || !strings.HasPrefix(got[0], "bad: 7") {
		t.Errorf("storage: %q", got)
	}
	if got := find(fs, "account consumers"); !slices.Equal(got, []string{"bad: 2 are allowed, and 3 are needed: one a tenant, and 2"}) {
		t.Errorf("consumers: %q", got)
	}
}
