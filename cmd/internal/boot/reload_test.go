package boot

import (
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestReload(t *testing.T) {
	base := tenant + "sources:\n"
	r := watchFiles(t, map[string]string{"relay.yaml": base + hook("a", "s") + hook("b", "t"), "s": password, "t": password + "t"})
	r.quiet()

	r.write("relay.yaml", base+hook("b", "u")+hook("c", "s"))
	r.write("u", password+"u")
	r.look(2)
	r.want(true, 1)
	r.logged("sources.added=[c] sources.removed=[a] sources.changed=[b]")
	r.quiet()

	r.write("u", password+"2") // a secret is a change as well
	r.look(2)
	r.want(true, 2)
	r.logged("sources.added=[] sources.removed=[] sources.changed=[b]")
	if got := r.applied[1].Sources[0].Checks.Header.Keys[0].Secret; got != password+"2" {
		t.Error("the old secret is in force")
	}

	r.write("relay.yaml", base+hook("b", "u")+hook("c", "s")+"# a word\n")
	r.look(2)
	r.want(true, 2) // nothing to apply
	r.quiet()

	r.hangups <- syscall.SIGHUP
	r.want(true, 2)
}

// A bad file changes nothing, is said once, and is forgotten by a good one.
func TestReloadOfMistakes(t *testing.T) {
	good := tenant + "sources:\n" + hook("a", "s")
	r := watchFiles(t, map[string]string{"relay.yaml": good, "s": password})
	for _, c := range []struct {
		name, file, secret string
		logs               []string
	}{
		{"no YAML", "sources: [", password, []string{"FILE:1:"}},
		{"two mistakes", good + "    gzip: 1\n    intents: []\n", password, []string{"FILE:11:5: sources.a.gzip: want true or false", "FILE:12:5: sources.a.intents: want at least one entry"}},
		{"short secret", good, "hunter2", []string{"FILE:10:39: sources.a.header.secrets[0]: is shorter than"}},
		{"new CA", "ingest: {tls: {cert_file: s, key_file: s, client_ca_file: s}}\n" + good + "    certificate: {subjects: [CN=a]}\n", password,
			[]string{"FILE:12:5: sources.a.certificate: ingest.tls.client_ca_file is new in this file; restart to have it"}},
	} {
		r.write("s", c.secret)
		r.write("relay.yaml", c.file)
		r.look(2)
		r.want(false, 0)
		r.logged(c.logs...)
		r.quiet()
		r.hangups <- syscall.SIGHUP // whoever asks is told again
		r.want(false, 0)

		r.write("s", password)
		r.write("relay.yaml", good)
		r.look(2)
		r.want(true, 0)
		r.quiet()
	}
	if strings.Contains(r.log.String(), "hunter2") || strings.Contains(r.log.String(), password) {
		t.Errorf("the log shows a secret:\n%s", r.log)
	}
}

// The secret that a new source lacks is all that has to come, and holds no other
// source up.
func TestReloadWhenTheSecretComes(t *testing.T) {
	good := tenant + "sources:\n" + hook("a", "s")
	r := watchFiles(t, map[string]string{"relay.yaml": good, "s": password})
	r.write("relay.yaml", good+hook("b", "later")+hook("c", "t"))
	r.write("t", password+"t")
	r.look(2)
	r.want(false, 1)
	r.logged("sources.added=\"[b c]\"", "FILE:14:39: sources.b.header.secrets[0]: there is no file", "it is offline")
	if b := named(r.applied[0].Sources)["b"]; !b.Offline || named(r.applied[0].Sources)["c"].Offline {
		t.Errorf("%+v is in force", r.applied[0].Sources)
	}
	r.write("later", password+"l")
	r.look(2)
	r.want(true, 2)
	r.logged("sources.changed=[b]")
	if named(r.applied[1].Sources)["b"].Offline {
		t.Error("the source is still offline")
	}
}

// A secret that goes leaves its source as it was; a start without it takes the
// source offline, and no other.
func TestASecretIsAway(t *testing.T) {
	both := tenant + "sources:\n" + hook("a", "s") + hook("b", "t")
	r := watchFiles(t, map[string]string{"relay.yaml": both, "s": password})
	r.logged(`source=b err="FILE:14:39: sources.b.header.secrets[0]: there is no file`)
	if list := named(r.w.sources); list["a"].Offline || !list["b"].Offline || list["b"].Checks.Header != nil {
		t.Fatalf("%+v are in force", r.w.sources)
	}
	r.want(false, 0) // of the start
	r.write("t", password+"t")
	r.look(2)
	r.want(true, 1)
	if err := os.Remove(filepath.Join(r.dir, "s")); err != nil {
		t.Fatal(err)
	}
	r.look(2)
	r.want(false, 1)
	r.logged("source=a", "it is as it was until they are")
}

// What a tenant's entry names is looked at as what a source's does: the worker
// hears of it.
func TestReloadOfATenantsFiles(t *testing.T) {
	good := strings.Replace(tenant, "client_secret: {file: acme}", "client_secret: {file: acme}\n    cloud: custom\n    graph_url: https://g.example\n    authority_url: https://a.example\n    ca_file: ca.pem", 1)
	r := watchFiles(t, map[string]string{"relay.yaml": good})
	r.quiet()
	for i, name := range []string{"ca.pem", "acme"} {
		r.write(name, "another")
		r.look(2)
		r.want(true, 0)
		r.mu.Lock()
		if len(r.served) != i+1 {
			t.Errorf("the worker has heard %d times, want %d", len(r.served), i+1)
		}
		r.mu.Unlock()
	}
}

// A file that is still being written is not read.
func TestReloadWaitsForTheWriter(t *testing.T) {
	base := tenant + "sources:\n"
	r := watchFiles(t, map[string]string{"relay.yaml": base + hook("a", "s"), "s": password})
	r.write("relay.yaml", base) // a good file, with all sources gone
	r.look(1)
	r.write("t", password+"t")
	r.write("relay.yaml", base+hook("a", "s")+hook("b", "t"))
	r.look(2)
	r.want(true, 1)
	r.logged("sources.added=[b] sources.removed=[]")
	if strings.Contains(r.log.String(), "sources.removed=[a]") {
		t.Errorf("the source was taken out meanwhile:\n%s", r.log)
	}
}

// The file in Kubernetes is a link to one in a folder that is a link.
func TestReloadOfAMount(t *testing.T) {
	dir := t.TempDir()
	for version, secret := range map[string]string{"..1": "one", "..2": "two"} {
		if err := os.Mkdir(filepath.Join(dir, version), 0o700); err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(dir, version, "s"), password+secret)
	}
	link := func(from, to string) {
		t.Helper()
		if err := os.Symlink(from, filepath.Join(dir, to)); err != nil {
			t.Fatal(err)
		}
	}
	link("..1", "..data")
	link("..data/s", "s")
	r := watchFiles(t, map[string]string{"relay.yaml": tenant + "sources:\n" + hook("a", filepath.Join(dir, "s"))})
	link("..2", "..tmp")
	if err := os.Rename(filepath.Join(dir, "..tmp"), filepath.Join(dir, "..data")); err != nil {
		t.Fatal(err)
	}
	r.look(2)
	r.want(true, 1)
	if got := r.applied[0].Sources[0].Checks.Header.Keys[0].Secret; got != password+"two" {
		t.Error("the old secret is in force")
	}
}

// What only a restart brings is said, and sources are taken all the same.
func TestReloadSaysWhatWaits(t *testing.T) {
	good := tenant + "sources:\n" + hook("a", "s")
	r := watchFiles(t, map[string]string{"relay.yaml": good, "s": password, "t": password + "t"})
	r.write("relay.yaml", "log: {level: debug, format: text}\nworker: {pace: 2s}\ningest: {proxies: [10.0.0.0/8]}\n"+strings.Replace(good, "file: acme", "file: other", 1)+hook("b", "t"))
	r.look(2)
	r.want(true, 1)
	for _, section := range []string{"log", "worker", "ingest"} {
		r.logged(`msg="a changed section needs a restart, and is as it was until then" file=FILE section=` + section + "\n")
	}
	if n := strings.Count(r.log.String(), "needs a restart"); n != 3 {
		t.Errorf("%d sections wait:\n%s", n, r.log)
	}
}

// The level of the log moves with the file, and stays where a mistake is in it.
func TestReloadOfTheLogsLevel(t *testing.T) {
	good := tenant + "sources:\n" + hook("a", "s")
	r := watchFiles(t, map[string]string{"relay.yaml": good, "s": password})
	var out strings.Builder
	log := r.w.started.Logger(&out)
	for n, c := range []struct {
		log  string
		want slog.Level
		ok   bool
	}{{"log: {level: debug}\n", slog.LevelDebug, true}, {"log: {level: loud}\n", slog.LevelDebug, false}, {"log: {level: error}\n", slog.LevelError, true}, {"", slog.LevelInfo, true}} {
		r.write("relay.yaml", c.log+good)
		r.look(2)
		r.want(c.ok, 0)
		for _, l := range []slog.Level{slog.LevelDebug, slog.LevelInfo, slog.LevelWarn, slog.LevelError} {
			if log.Enabled(t.Context(), l) != (l >= c.want) {
				t.Errorf("%d: %q: a line of level %v is written: %t", n, c.log, l, l < c.want)
			}
		}
	}
	r.logged(`msg="the log's level is another now" was=DEBUG is=ERROR`)
	if strings.Contains(r.log.String(), "needs a restart") {
		t.Errorf("a level waits:\n%s", r.log)
	}
}

// Whoever applies may refuse as well.
func TestReloadRefusedBelow(t *testing.T) {
	good := tenant + "sources:\n" + hook("a", "s")
	r := watchFiles(t, map[string]string{"relay.yaml": good, "s": password, "t": password + "t"})
	r.refuse = errors.New("source b: no")
	r.write("relay.yaml", good+hook("b", "t"))
	r.look(2)
	r.want(false, 0)
	r.logged(`err="source b: no"`)
	r.mu.Lock()
	r.refuse = nil
	r.mu.Unlock()
	r.hangups <- syscall.SIGHUP
	r.want(true, 1)
}

// A certificate is renewed even when a source is wrong, and a broken one is not
// taken.
func TestReloadOfCertificates(t *testing.T) {
	ours := newAuthority(t, "ours")
	cert, key := ours.issue(t, "first")
	renewed, renewedKey := ours.issue(t, "second")
	r := watchFiles(t, map[string]string{"relay.yaml": served, "c.pem": cert, "k.pem": key, "ca.pem": ours.pem})
	name := func() string {
		c, err := r.w.tls.config().GetCertificate(nil)
		if err != nil {
			t.Fatal(err)
		}
		return c.Leaf.Subject.CommonName
	}
	r.write("c.pem", renewed)
	r.look(2)
	r.want(false, 0)
	r.logged("FILE:6:16: ingest.tls.cert_file: ")
	if got := name(); got != "first" {
		t.Errorf("half a renewal serves %s", got)
	}
	r.write("relay.yaml", "sources: [")
	r.write("k.pem", renewedKey)
	r.look(2)
	r.want(false, 0)
	if got := name(); got != "second" {
		t.Errorf("the renewal serves %s", got)
	}
	r.write("relay.yaml", served)
	r.look(2)
	r.want(true, 0)
}

// The signal itself arrives, and the files are looked at by a clock.
func TestWatchListens(t *testing.T) {
	w := &watcher{}
	defer w.listen()()
	p, err := os.FindProcess(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	if got := <-w.hangups; got != syscall.SIGHUP || w.ticks == nil {
		t.Errorf("%v, %v", got, w.ticks)
	}
}

// Tenants come and go, and the worker has them before a source speaks for them.
func TestReloadOfTenants(t *testing.T) {
	good := tenant + "sources:\n" + hook("a", "s")
	r := watchFiles(t, map[string]string{"relay.yaml": good, "s": password})
	both := strings.Replace(good, "tenants:\n", "tenants:\n  beta: {tenant_id: b.example, client_id: 2b222222-2222-3333-4444-555555555555, client_secret: {env: B}}\n", 1)
	r.write("relay.yaml", both+strings.Replace(hook("b", "s"), "[acme]", "[beta]", 1)+"    rate: {per_second: 5}\n")
	r.look(2)
	r.want(false, 0) // the two sources share a secret
	r.write("t", password+"t")
	r.write("relay.yaml", both+strings.Replace(hook("b", "t"), "[acme]", "[beta]", 1))
	r.look(2)
	r.want(true, 1)
	r.logged("sources.added=[b]", "tenants.added=[beta] tenants.removed=[] tenants.changed=[]")
	r.write("relay.yaml", strings.Replace(good, "file: acme", "file: other", 1))
	r.look(2)
	r.want(true, 2)
	r.logged("sources.removed=[b]", "tenants.added=[] tenants.removed=[beta] tenants.changed=[acme]")
	r.write("relay.yaml", strings.Replace(good, "[acme]", "[beta]", 1))
	r.look(2)
	r.want(false, 2)
	r.logged("sources.a.tenants[0]")
	if got := r.applied[1].Tenants; len(got) != 1 || got[0] != "acme" || len(r.served) < 2 || len(r.served[len(r.served)-1]) != 1 {
		t.Errorf("in force: %v, served: %v", got, r.served)
	}
}
