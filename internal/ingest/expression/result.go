package expression

import (
	"fmt"
	"time"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"

	"changerelay/internal/ingest/source"
)

// verdict is what when gave.
func (x *expression) verdict(v ref.Val) (bool, error) {
	approved, ok := v.(types.Bool)
	if !ok {
		return false, x.wrong(v)
	}
	return bool(approved), nil
}

// records are what each gave.
func (x *expression) records(v ref.Val) ([]source.Value, error) {
	list, err := x.list(v)
	if err != nil {
		return nil, err
	}
	records := make([]source.Value, 0, len(list))
	for _, v := range list {
		records = append(records, source.Value{Seen: v, Doc: goValue(v)})
	}
	return records, nil
}

// list is the entries of a list that an expression gave.
func (x *expression) list(v ref.Val) ([]ref.Val, error) {
	l, ok := v.(traits.Lister)
	if !ok {
		return nil, x.wrong(v)
	}
	n := l.Size().(types.Int)
	if n > source.MaxRecords {
		return nil, x.invalid(fmt.Sprintf("gives a list of %d; at most %d are taken", n, source.MaxRecords))
	}
	var list []ref.Val
	for i := range n {
		list = append(list, l.Get(i))
	}
	return list, nil
}

// value is of a meaning that an event has one of: text, or for items a list of
// texts, or nil.
func (x *expression) value(v ref.Val) (any, error) {
	if v == nil {
		return nil, nil
	}
	switch _, isList := v.(traits.Lister); {
	case x.meaning == source.Time:
		v = clock(v)
	case x.meaning == source.Items && isList:
		return x.texts(v)
	}
	text, ok := plainText(v)
	if !ok {
		return nil, x.wrong(v)
	}
	return text, nil
}

func (x *expression) texts(v ref.Val) (any, error) {
	list, err := x.list(v)
	if err != nil {
		return nil, err
	}
	texts := []any{}
	for i, e := range list {
		text, ok := plainText(e)
		if !ok {
			return nil, x.invalidAt(i, "want an item's id, as text")
		}
		texts = append(texts, text)
	}
	return texts, nil
}

// clock writes the times that are not text. Seconds and milliseconds cannot be
// taken for each other: the seconds of any time that an event may have are
// milliseconds of 1970.
func clock(v ref.Val) ref.Val {
	t, ok := v.(types.Timestamp)
	if n, isInt := v.(types.Int); isInt {
		const milliseconds = 100_000_000_000 // in 1973; as seconds, in the year 5138
		t, ok = types.Timestamp{Time: time.Unix(int64(n), 0)}, true
		if n >= milliseconds {
			t.Time = time.UnixMilli(int64(n))
		}
	}
	if !ok {
		return v
	}
	return types.String(t.UTC().Format(time.RFC3339Nano))
}
