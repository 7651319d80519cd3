package worker

import "changerelay/internal/stream"

// guard calls f, and puts ds back if it panics: one device's, not the batch.
func (w *Worker) guard(f func(), ds ...*stream.Delivery) bool {
	ok := stream.Guard(w.c.Log, f, "first", ds[0].Sequence, "messages", len(ds))
	if !ok {
		w.c.Metrics.Panics.Inc()
	}
	for _, d := range ds {
		if !ok {
			_ = d.Nak(stream.PanicPause) // without effect on what was acked before
		}
	}
	return ok
}

func deliveries(as []*arrival) (ds []*stream.Delivery) {
	for _, a := range as {
		ds = append(ds, a.Delivery)
	}
	return ds
}
