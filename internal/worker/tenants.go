package worker

import (
	"context"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"changerelay/internal/graph"
	"changerelay/internal/quota"
)

// A Tenant is one that the worker calls Graph for. Two are the same if they are
// equal: a reload leaves such a one alone.
type Tenant struct {
	Graph   *graph.Client // nil while it is offline
	Offline string        // why it cannot be called, for a person; "" if it can

	// Of its quota, which all applications with this Entra tenant and client share,
	// whatever names they have here.
	TenantID, ClientID string
	Write, Read        quota.Limit // zero is quota.DefaultWrite, quota.DefaultRead

	OwnSet     bool // removals that others made are restored, not kept
	RestoreAll bool // an event may ask for everything back
}

// A tenant is a Tenant while this worker serves it.
type tenant struct {
	Tenant
	name        string
	pause       *pause
	key         quota.Key // of its writes
	write, read *quota.Bucket
	places      chan struct{} // of targets that are looked up
	denied      atomic.Bool   // Entra has denied it a token, and given none since

	start func()      // its reconcile loop, once
	begun atomic.Bool // it was started
	stop  context.CancelFunc
}

// A roster is the tenants that this worker serves. It is replaced piece by piece
// while the worker runs: what is under way for a tenant that has changed goes on
// as it began.
type roster struct {
	mu      sync.Mutex
	tenants map[string]*tenant
	over    bool // the worker ends: nothing may begin
}

// of returns the tenant of that name; nil if there is none.
func (r *roster) of(name string) *tenant {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.tenants[name]
}

// all lists the tenants, by name.
func (r *roster) all() []*tenant {
	r.mu.Lock()
	defer r.mu.Unlock()
	ts := make([]*tenant, 0, len(r.tenants))
	for _, name := range slices.Sorted(maps.Keys(r.tenants)) {
		ts = append(ts, r.tenants[name])
	}
	return ts
}

// SetTenants replaces the tenants that the worker serves. Those that are as they
// were go on undisturbed; one that is gone leaves its wake-ups in DEVICES, for
// when it comes back.
func (w *Worker) SetTenants(fresh map[string]Tenant) {
	w.serving.mu.Lock()
	defer w.serving.mu.Unlock()
	switch {
	case w.running == nil:
		w.c.Tenants = fresh // Run begins with them
	case !w.serving.over:
		w.set(fresh)
	}
}

// serve begins with the tenants of the configuration.
func (w *Worker) serve(ctx context.Context) {
	w.serving.mu.Lock()
	defer w.serving.mu.Unlock()
	w.running, w.serving.tenants = ctx, map[string]*tenant{}
	w.set(w.c.Tenants)
}

// finish waits for what was begun.
func (w *Worker) finish() {
	w.serving.mu.Lock()
	w.serving.over = true
	w.serving.mu.Unlock()
	w.loops.Wait()
}

func (w *Worker) set(fresh map[string]Tenant) {
	back, begun, before := map[string]bool{}, map[string]bool{}, map[string]*pause{}
	for name, t := range w.serving.tenants {
		if f, still := fresh[name]; !still || f != t.Tenant {
			wrong := t.pause.resume() || t.Offline != "" // its devices were put back for long
			back[name], begun[name] = still && wrong && f.Offline == "", t.begun.Load()
			before[name] = t.pause
			t.stop()
			delete(w.serving.tenants, name)
		}
	}
	for name, f := range fresh {
		if w.serving.tenants[name] == nil {
			w.serving.tenants[name] = w.take(name, f)
			if p := before[name]; p != nil {
				w.serving.tenants[name].pause.follow(p)
			}
			if begun[name] { // nobody else may wake it for a while
				w.serving.tenants[name].start()
			}
		}
	}
	maps.DeleteFunc(back, func(_ string, is bool) bool { return !is })
	if len(back) > 0 {
		ctx := w.running
		w.loops.Go(func() { w.wake(ctx, back) })
	}
}

// Retry calls a paused tenant at once, because its credential is another now. One
// that is not paused, or not for its credential's sake, it leaves alone.
func (w *Worker) Retry(name string) {
	w.serving.mu.Lock()
	defer w.serving.mu.Unlock()
	t := w.serving.tenants[name]
	if t == nil || w.serving.over || !t.pause.resume() {
		return
	}
	t.forget()
	w.c.Log.Info("the tenant is called again, because its credential has changed", "tenant", name)
	w.loops.Go(func() { w.wake(w.running, map[string]bool{name: true}) })
}

// forget has the next call get a new token.
func (t *tenant) forget() {
	if t.Graph != nil {
		t.Graph.Forget()
	}
}

// take makes a tenant ready to be served. Its reconcile loop starts with its first
// wake-up, so that a thousand tenants that never change anything cost nothing.
func (w *Worker) take(name string, f Tenant) *tenant {
	t := &tenant{Tenant: f, name: name, pause: newPause(w.c.Now), places: make(chan struct{}, resolvesOfTenant)}
	setDefault(&f.Write, quota.DefaultWrite)
	setDefault(&f.Read, quota.DefaultRead)
	t.key = quota.Key{TenantID: f.TenantID, ClientID: f.ClientID, Class: quota.Write}
	t.write = w.c.Quota.Bucket(t.key, f.Write, w.c.Now)
	reads := t.key
	reads.Class = quota.Read
	t.read = w.c.Quota.Bucket(reads, f.Read, w.c.Now)
	ctx, cancel := context.WithCancel(w.running)
	t.stop = cancel
	w.measureTenant(t)
	t.start = sync.OnceFunc(func() {
		t.begun.Store(true)
		w.loops.Go(func() { _ = w.c.Streams.Wakes(ctx, name, w.c.ReconcileSlots, t.gate, w.reconcile) })
	})
	if t.Graph != nil {
		t.Graph.OnToken(func(failed graph.Kind, took time.Duration) { w.asked(t, failed, took) })
		w.loops.Go(func() { w.greet(ctx, t) })
	}
	return t
}
