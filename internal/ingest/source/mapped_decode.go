package source

import (
	"context"
	"errors"
	"strconv"
	"strings"

	"changerelay/internal/events"
)

// Decode makes an event of each approved record, as the other forms do.
func (m *mapped) Decode(v Delivery) (Decoded, error) {
	if m.language == nil {
		return Decoded{}, errNoLanguage
	}
	doc, err := events.JSON(v.Body, "body", MaxDepth)
	if err != nil {
		return Decoded{}, err
	}
	body := m.language.Value(doc)
	ctx, cancel := context.WithTimeout(context.Background(), MaxDecodeTime)
	defer cancel()
	e, err := m.evaluation(ctx, v, body)
	if err != nil {
		return Decoded{}, err
	}
	records := []Value{body}
	if x := m.expressions[Each]; x != nil {
		given, err := x.Eval(e)
		if err != nil {
			return Decoded{}, err
		}
		records = given.([]Value)
	}
	return decodeAll(len(records), func(i int) (events.Event, error) {
		r := record{formDecoder: m.formDecoder, delivery: v, doc: records[i].Doc}
		if len(records) > 1 {
			r.place = strconv.Itoa(i)
		}
		return mappedRecord{r, m, e, records[i]}.event()
	})
}

func (m *mapped) evaluation(ctx context.Context, v Delivery, body Value) (*Evaluation, error) {
	e := &Evaluation{Context: ctx, Body: body, Source: m.name, Received: v.Now}
	if v.CoversID { // else whoever captured one delivery could send it with another id
		e.DeliveryID = v.ID
	}
	headers := map[string]any{}
	if m.headers {
		var err error
		if headers, err = coveredHeaders(v); err != nil {
			return nil, err
		}
	}
	e.Headers = m.language.Value(headers)
	return e, nil
}

// A mappedRecord is one record of a body.
type mappedRecord struct {
	record
	mapped *mapped
	eval   *Evaluation
	entry  Value
}

// event is record's.
func (r mappedRecord) event() (events.Event, error) {
	e, err := r.read()
	if err != nil {
		e = events.Event{Ticket: r.ticket()}
	}
	return e, err
}

// ticket is the record's, as far as it can be told by itself.
func (r mappedRecord) ticket() (text string) {
	var made map[string]any
	if x := r.mapped.expressions[Ticket]; x != nil {
		v, err := x.Eval(r.eval)
		if err != nil {
			return ""
		}
		made = map[string]any{Ticket: v}
	}
	r.doc = document(r.doc, made)
	text, _ = r.text(Ticket)
	return text
}

// read runs the expressions and gives the engine a document of what they made.
func (r mappedRecord) read() (events.Event, error) {
	r.eval.Record = r.entry
	if err := r.judge(); err != nil {
		return events.Event{}, err
	}
	made, changes, err := r.made()
	if err != nil {
		return events.Event{}, err
	}
	r.doc = document(r.doc, made)
	e, err := r.record.event()
	if err != nil || changes == nil {
		return e, err
	}
	e.Changes = changes // the engine took their ids for items, and found all else good
	e, err = events.New(e, r.delivery.Now)
	var bad *events.InvalidError
	if errors.As(err, &bad) {
		change, _, _ := strings.Cut(strings.TrimPrefix(bad.Field, "data."), ".")
		err = invalid(MapField(change), bad.Reason)
	}
	return e, err
}

// document is what the paths of a mapped source lead into.
func document(record any, made map[string]any) any {
	return map[string]any{"record": record, "map": made}
}

// judge returns nil if the record is an approval. No other expression runs on one
// that is not: it may lack what they look for.
func (r mappedRecord) judge() error {
	x := r.mapped.expressions[When]
	if x == nil {
		r.doc = document(r.doc, nil)
		return r.record.judge()
	}
	approved, err := x.Eval(r.eval)
	if err == nil && !approved.(bool) {
		return &Ignored{"the record is not approved: when is false"}
	}
	return err
}

// made is what the expressions made, by meaning; for changes, their ids.
func (r mappedRecord) made() (made map[string]any, changes []events.Change, err error) {
	made = map[string]any{}
	for _, meaning := range MapMeanings {
		x := r.mapped.expressions[meaning]
		if x == nil || meaning == When || meaning == Each {
			continue
		}
		v, err := x.Eval(r.eval)
		if err != nil {
			return nil, nil, err
		}
		if meaning == Changes {
			changes = v.([]events.Change)
			v = idsOf(changes)
		}
		made[meaning] = v
	}
	return made, changes, nil
}

func idsOf(changes []events.Change) (ids []any) {
	for _, c := range changes {
		ids = append(ids, c.Item.ID)
	}
	return ids
}
