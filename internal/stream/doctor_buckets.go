package stream

import (
	"github.com/nats-io/nats.go/jetstream"

	"changerelay/internal/broker"
)

// buckets are the declarations of the packages ledger and quota, which this one
// does not know. A test in cmd/relayctl compares them with what those declare.
func (s *Streams) buckets() []declaration {
	return []declaration{
		s.bucket("ledger", "changerelay: one document a managed device"),
		s.bucket("quota", "changerelay: when Graph may be called, one cell a quota"),
	}
}

func (s *Streams) bucket(name, description string) declaration {
	return declaration{broker.StreamPrefix + name, func(c *jetstream.StreamConfig) { broker.Declare(c, name, description, s.o.Replicas) }}
}
