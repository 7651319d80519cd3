package quota

import (
	"testing"
	"time"

	"changerelay/internal/natstest"
)

func BenchmarkLease(b *testing.B) {
	c, now := Cell{}, t0
	b.ReportAllocs()
	for b.Loop() {
		c, _ = c.Lease(now, DefaultRead, 32)
		now = now.Add(500 * ms)
	}
}

func BenchmarkStored(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		e, err := rich.encode()
		if err == nil {
			_, err = decode(e)
		}
		if err != nil {
			b.Fatal(err)
		}
	}
}

// One caller, one permit, one round trip.
func BenchmarkTakeIdle(b *testing.B) {
	for name, opts := range map[string][]natstest.Option{"lazy": nil, "sync": {natstest.SyncAlways()}} {
		b.Run(name, func(b *testing.B) {
			q := open(b, natstest.Server(b, opts...).URL(), 1).Bucket(writes, Limit{fastest, mostBurst}, time.Now)
			for b.Loop() {
				if _, err := q.Take(b.Context(), day); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// Callers that always wait share leases.
func BenchmarkTake32Waiters(b *testing.B) {
	q := open(b, natstest.Server(b, natstest.SyncAlways()).URL(), 1).Bucket(writes, Limit{fastest, mostBurst}, time.Now)
	b.SetParallelism(16) // on two cores
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := q.Take(b.Context(), day); err != nil {
				b.Error(err)
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "permits/s")
}
