package stream

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// A field is one of a stream's configuration, as it is and as declared.
type field struct {
	name     string // the broker's
	is, want any
}

// differences are the declared fields that are otherwise: those that declaring
// the stream would change.
func differences(have, want jetstream.StreamConfig) (fs []field) {
	h, w := reflect.ValueOf(have), reflect.ValueOf(want)
	for i := range h.NumField() {
		if is, should := h.Field(i).Interface(), w.Field(i).Interface(); !reflect.DeepEqual(is, should) {
			name, _, _ := strings.Cut(h.Type().Field(i).Tag.Get("json"), ",")
			fs = append(fs, field{name, is, should})
		}
	}
	return fs
}

// harms says why a field must be as it is declared. The others only have to be
// what the services expect.
var harms = map[string]string{
	"allow_direct":            "any replica answers, also one that lags: devices are left due with nobody to wake them",
	"storage":                 "in memory, a restart of the broker loses acknowledged events",
	"discard":                 "old messages are dropped without a word",
	"discard_new_per_subject": "publishers that expect nothing store an event twice",
	"max_msgs_per_subject":    "there is one message a subject, which is what makes once of an event",
	"deny_delete":             "a forgotten event could happen twice",
	"deny_purge":              "a forgotten event could happen twice",
	"max_age":                 "the configuration of the services says how long it remembers",
	"retention":               "messages would be forgotten that are needed, or kept that are not",
	"max_msg_size":            "events are refused that ingest accepts, or others stored that it does not",
}

// edits are the flags of nats stream edit, where they are not the field's name.
var editFlags = map[string]string{"num_replicas": "replicas", "duplicate_window": "dupe-window", "discard_new_per_subject": "discard-per-subject",
	"allow_rollup_hdrs": "allow-rollup"}

// fixed fields cannot be changed while the stream is there.
var fixed = map[string]bool{"storage": true, "retention": true, "persist_mode": true}

// drift compares a stream with its declaration.
func (x *exam) drift(p *patient) (fs []Finding) {
	want := p.info.Config
	p.set(&want)
	for _, d := range differences(p.info.Config, want) {
		level, detail := Bad, fmt.Sprintf("is %s, want %s", plain(d.is), plain(d.want))
		if d.name == "description" || d.name == "duplicate_window" {
			level = Note // nothing relies on them
		}
		if why := harms[d.name]; why != "" {
			detail += ": " + why
		}
		fs = append(fs, Finding{level, p.name + " " + d.name, detail, d.remedy(p.name)})
	}
	return fs
}

func (d field) remedy(stream string) string {
	if fixed[d.name] {
		return anew(stream)
	}
	return "restart a service: it mends it; or " + edit(stream, d.name, d.want)
}

// anew is how a stream gets what it cannot be changed to.
func anew(stream string) string {
	return fmt.Sprintf("it cannot be changed in place: wait until no device is due (relayctl tenants), stop all services, keep a copy (nats stream backup %[1]s ./%[1]s), delete it (nats stream rm %[1]s), and start a service: it makes it anew, and empty", stream)
}

// edit is the command that changes a field.
func edit(stream, name string, want any) string {
	flag := editFlags[name]
	if flag == "" {
		flag = strings.ReplaceAll(name, "_", "-")
	}
	switch v := want.(type) {
	case bool:
		if !v {
			flag = "no-" + flag
		}
	case string:
		flag += fmt.Sprintf("=%q", v)
	default:
		flag += "=" + plain(want)
	}
	return "nats stream edit " + stream + " --" + flag
}

// plain writes a field's value as the broker's tool does.
func plain(v any) string {
	switch v := v.(type) {
	case time.Duration:
		return v.String()
	case []string:
		return strings.Join(v, ",")
	}
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return strings.Trim(string(b), `"`)
}
