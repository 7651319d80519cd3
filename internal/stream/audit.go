package stream

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"changerelay/internal/events"
)

// AuditPrefix is before the action and the tenant in the subject of a record.
const AuditPrefix = "audit.v1."

// AuditType is the CloudEvents type of an audit record.
const AuditType = "changerelay.audit.v1"

// What a person may do by hand.
const (
	ActionReplay = "replay" // of a dead letter
	ActionDrop   = "drop"   // of a dead letter
)

// An AuditState is how far an act is.
type AuditState string

// Asked is recorded before the act, one of the others after it. One that stays
// alone is of a command that died in between: the act may or may not be done.
const (
	Asked  AuditState = "asked"
	Done   AuditState = "done"
	Failed AuditState = "failed"
)

// noTenant stands in a subject for a letter that belongs to no tenant.
const noTenant = "unknown"

// An Audit is a record of something that a person did by hand.
//
// It is stored for AuditFor. Fields may be added; those that are here keep their
// names and meanings.
type Audit struct {
	Action string     `json:"action"`
	State  AuditState `json:"state"`
	Of     uint64     `json:"of,omitempty"` // number of the record that asked for what this one ends

	Who  string `json:"who"`           // the name that the person gave, or else User
	User string `json:"user"`          // of the operating system
	Host string `json:"host"`          // where the command ran
	NATS string `json:"nats,omitzero"` // the user that the broker knows, if it has users
	Why  string `json:"why,omitzero"`

	Letter  uint64         `json:"letter,omitempty"`
	Outcome events.Outcome `json:"outcome,omitzero"` // of the letter
	Tenant  string         `json:"tenant,omitzero"`
	Ticket  string         `json:"ticket,omitzero"`
	Ref     string         `json:"event,omitzero"`  // the letter's event
	SHA256  string         `json:"sha256,omitzero"` // of the letter's bytes, hexadecimal
	Size    int            `json:"size,omitzero"`   // of the letter's bytes
	Result  string         `json:"result,omitzero"` // the id of the new event, or what went wrong

	At     time.Time `json:"at"`
	Number uint64    `json:"-"` // in AUDIT; Record does not read it
}

// subject has the action and the tenant, so that both can be looked for.
func (a Audit) subject() string {
	tenant := a.Tenant
	if tenant == "" {
		tenant = noTenant
	}
	return AuditPrefix + a.Action + "." + tenant
}

// Record stores a record and returns its number.
func (s *Streams) Record(ctx context.Context, a Audit) (uint64, error) {
	ctx, cancel := bound(ctx, PublishFor)
	defer cancel()
	for _, text := range []*string{&a.Who, &a.User, &a.Host, &a.NATS, &a.Why, &a.Result} {
		*text = line(*text)
	}
	id := strings.ToLower(rand.Text())
	msg := &nats.Msg{Subject: a.subject(), Data: a.encode(id), Header: nats.Header{}}
	msg.Header.Set(jetstream.MsgIDHeader, id) // a try whose answer was lost is not a second act
	return s.put(ctx, msg)
}

// An auditEnvelope is the CloudEvents form of an Audit.
type auditEnvelope struct {
	SpecVersion     string    `json:"specversion"`
	ID              string    `json:"id"`
	Source          string    `json:"source"`
	Type            string    `json:"type"`
	Time            time.Time `json:"time"`
	Subject         string    `json:"subject,omitempty"`
	DataContentType string    `json:"datacontenttype"`
	Data            Audit     `json:"data"`
}

func (a Audit) encode(id string) []byte {
	a.At = a.At.Round(0).UTC()
	b, err := json.Marshal(auditEnvelope{"1.0", id, "/relayctl", AuditType, a.At, a.Ticket, "application/json", a})
	if err != nil {
		panic("stream: an audit record always encodes: " + err.Error()) // texts, numbers and a clock's time only
	}
	return b
}

// parseAudit reads what encode wrote. Fields that it does not know are ignored:
// a newer version may have written them.
func parseAudit(data []byte) (Audit, error) {
	var v auditEnvelope
	if err := json.Unmarshal(data, &v); err != nil {
		return Audit{}, errors.New("it is no audit record in JSON")
	}
	switch a := v.Data; {
	case v.Type != AuditType:
		return Audit{}, fmt.Errorf("its type is %q, want %s", v.Type, AuditType)
	case !slices.Contains([]AuditState{Asked, Done, Failed}, a.State):
		return Audit{}, fmt.Errorf("its state is %q, want %s, %s or %s", a.State, Asked, Done, Failed)
	case a.Action == "" || a.Who == "" || a.At.IsZero():
		return Audit{}, errors.New("it does not say who did what and when")
	}
	return v.Data, nil
}
