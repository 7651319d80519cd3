package figures

import (
	"fmt"
	"strconv"
	"strings"
)

// An Aim is a bound that the project has set itself.
type Aim struct {
	Name string  `json:"aim"`
	What string  `json:"what"`
	Most bool    `json:"most,omitempty"` // the bound is the greatest good value; else the least
	Want float64 `json:"want"`
	Unit string  `json:"unit,omitempty"`
}

// Aims are all of them, in the document's order. MiB are what the system counts a
// process's resident memory in.
var Aims = []Aim{
	least("ingest-rate", "ingest: `POST /v1/changes`, requests a second, of an empty Echo handler's", 0.55, ""),
	most("ingest-p99", "… its p99, of the empty handler's", 2, ""),
	most("memory-ingest", "ingest's memory at its most, under this load", 32, "MiB"),
	most("memory-worker", "worker's memory at its most, while it folds what comes of this load", 32, "MiB"),
	most("start-ingest", "start to ready, the slowest of 20: ingest", 0.3, "s"),
	most("start-worker", "… worker", 0.3, "s"),
	most("start-standalone", "… standalone, with its broker and a simulated tenant", 0.3, "s"),
	least("fold", "fold, one event a device, R1", 10_000, "/s"),
	least("reconcile", "reconcile, R1, Graph answers at once", 6000, "/s"),
	most("idle-p50", "idle: webhook in to POST out, p50", 5, "ms"),
	most("idle-p99", "… p99", 20, "ms"),
	least("burst-quota", "burst of 10 000 events for 500 devices, 3 workers: Graph's quota used", 0.95, ""),
	most("burst-calls", "… calls a device", 1.2, ""),
	most("burst-throttled", "… calls answered 429", 0, ""),
	least("tenants-kept", "100 tenants, 10 of them throttled: what the other 90 keep of their rate alone", 0.95, ""),
	least("devices-fold", "a million devices in the ledger against a thousand: fold", 0.90, ""),
	least("devices-reconcile", "… reconcile", 0.90, ""),
	most("devices-memory", "… worker's memory at its most", 96, "MiB"),
	most("hot-cost", "20 000 events for one device: worker's CPU an event, last quarter of first", 1, ""),
	most("hot-document", "… its document at its largest", 64, "KiB"),
}

func least(name, what string, want float64, unit string) Aim {
	return Aim{Name: name, What: what, Want: want, Unit: unit}
}

func most(name, what string, want float64, unit string) Aim {
	return Aim{Name: name, What: what, Most: true, Want: want, Unit: unit}
}

// find looks an aim up; a name that is none is a mistake of the benchmark.
func find(name string) Aim {
	for _, a := range Aims {
		if a.Name == name {
			return a
		}
	}
	panic("figures: there is no aim " + name)
}

func (a Aim) holds(measured float64) bool {
	if a.Most {
		return measured <= a.Want
	}
	return measured >= a.Want
}

func (a Aim) String() string {
	if a.Most {
		return "≤ " + a.number(a.Want)
	}
	return "≥ " + a.number(a.Want)
}

// number is a value of the aim's kind, with its unit.
func (a Aim) number(v float64) string {
	s := Number(v)
	switch {
	case a.Unit == "":
		return s
	case strings.HasPrefix(a.Unit, "/"):
		return s + a.Unit
	}
	return s + " " + a.Unit
}

// Number has three digits or more, and a space between thousands.
func Number(v float64) string {
	switch {
	case v == float64(int64(v)) && v < 1000:
		return strconv.FormatFloat(v, 'f', 0, 64)
	case v >= 1 && v < 10:
		return strings.TrimSuffix(fmt.Sprintf("%.2f", v), "0")
	case v < 1:
		return strings.TrimSuffix(fmt.Sprintf("%.3f", v), "0")
	case v < 100:
		return fmt.Sprintf("%.1f", v)
	case v < 1000:
		return fmt.Sprintf("%.0f", v)
	}
	n := fmt.Sprintf("%.0f", v)
	for i := len(n) - 3; i > 0; i -= 3 {
		n = n[:i] + " " + n[i:]
	}
	return n
}
