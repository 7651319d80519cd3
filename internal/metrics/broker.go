package metrics

import "github.com/prometheus/client_golang/prometheus"

// Broking are the families of the broker, as this process sees it.
type Broking struct {
	BrokerConnected  prometheus.Gauge
	BrokerReconnects prometheus.Counter
	BrokerRoundTrip  prometheus.Histogram
	BrokerFindings   *Gauges // level: bad, note
	BrokerLastLook   prometheus.Gauge

	StreamMessages     *Gauges // stream: of Labels.Streams
	StreamBytes        *Gauges // stream
	StreamMaxBytes     *Gauges // stream
	StreamLastSequence *Gauges // stream
	StreamOldest       *Gauges // stream; seconds since 1970
	Unfolded           prometheus.Gauge
	OldestUnfolded     prometheus.Gauge // seconds since 1970
}

var levels = []string{"bad", "note"}

func broking(f factory, l Labels) Broking {
	stream := label("stream", l.Streams...)
	return Broking{
		BrokerConnected: f.gauge("changerelay_broker_connected",
			"1 while this process has a connection to the broker."),
		BrokerReconnects: f.counter("changerelay_broker_reconnects_total",
			"Times that this process got its connection back."),
		BrokerRoundTrip: f.histogram("changerelay_broker_round_trip_seconds",
			"A ping to the broker and back, every 15 s.", tripBuckets),
		BrokerFindings: f.gauges("changerelay_broker_findings",
			"What relayctl doctor would say of the broker: bad, note; looked at every 5 minutes.", label("level", levels...)),
		BrokerLastLook: f.gauge("changerelay_broker_last_look_timestamp_seconds",
			"When this process last saw the broker's state; the series of streams and of unfolded events are of that time."),
		StreamMessages: f.gauges("changerelay_stream_messages",
			"Messages in a stream or bucket.", stream),
		StreamBytes: f.gauges("changerelay_stream_bytes",
			"Bytes of a stream or bucket on the disks, of one replica.", stream),
		StreamMaxBytes: f.gauges("changerelay_stream_max_bytes",
			"Bytes that it may have; 0 is no limit.", stream),
		StreamLastSequence: f.gauges("changerelay_stream_last_sequence",
			"Number of the newest message: its rate says whether anything moves.", stream),
		StreamOldest: f.gauges("changerelay_stream_oldest_timestamp_seconds",
			"Time of the oldest message; 0 if there is none.", stream),
		Unfolded: f.gauge("changerelay_unfolded_events",
			"Events in CHANGES that no worker has folded; all of them if there is no consumer."),
		OldestUnfolded: f.gauge("changerelay_oldest_unfolded_timestamp_seconds",
			"When the oldest event that no worker has folded was accepted; 0 if there is none."),
	}
}
