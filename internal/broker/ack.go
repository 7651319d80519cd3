package broker

import (
	"bytes"
	"encoding/json"

	"github.com/nats-io/nats.go/jetstream"
)

// readAck reads what a stream says of a publish.
func readAck(data []byte) (uint64, error) {
	if seq, ok := plainAck(data); ok {
		return seq, nil
	}
	var ack struct {
		Error    *jetstream.APIError `json:"error"`
		Stream   string              `json:"stream"`
		Sequence uint64              `json:"seq"`
	}
	switch err := json.Unmarshal(data, &ack); {
	case err != nil:
		return 0, jetstream.ErrInvalidJSAck
	case ack.Error != nil:
		return 0, ack.Error
	case ack.Stream == "":
		return 0, jetstream.ErrInvalidJSAck
	}
	return ack.Sequence, nil
}

// plainAck reads the usual acknowledgement, {"stream":"CHANGES","seq":7}, and
// nothing else.
func plainAck(data []byte) (uint64, bool) {
	rest, ok := bytes.CutPrefix(data, []byte(`{"stream":"`))
	name, rest, found := bytes.Cut(rest, []byte(`","seq":`))
	digits, closed := bytes.CutSuffix(rest, []byte("}"))
	if !ok || !found || !closed || !isStreamName(name) || len(digits) == 0 || digits[0] == '0' {
		return 0, false
	}
	var seq uint64
	for _, c := range digits {
		if c < '0' || c > '9' || len(digits) > 19 { // 19 digits cannot overflow
			return 0, false
		}
		seq = seq*10 + uint64(c-'0')
	}
	return seq, true
}

// isStreamName accepts names such as ours, which JSON writes as they are.
func isStreamName(s []byte) bool {
	for _, c := range s {
		if (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') && c != '_' {
			return false
		}
	}
	return len(s) > 0
}
