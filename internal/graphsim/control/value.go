package control

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// Kind is what a Value is.
type Kind int

const (
	Null Kind = iota
	Text
	Number
	Bool
	Map
	List
)

// Value is a piece of YAML or JSON before anybody knows what it means.
type Value struct {
	Kind         Kind
	Line, Column int    // from 1; 0 = unknown, as in a request
	Text         string // of a Text, Number or Bool
	Keys         []Key  // of a Map, in order
	Items        []Value
}

// Key is one entry of a map. Its place is the key's.
type Key struct {
	Name         string
	Line, Column int
	Value        Value
}

var errDeep = errors.New("values are nested too deeply")

// ParseJSON reads one JSON value.
func ParseJSON(data []byte) (Value, error) {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	v, err := readJSON(d, maxDepth)
	if err != nil {
		return Value{}, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return Value{}, errors.New("something follows the JSON value")
	}
	return v, nil
}

func readJSON(d *json.Decoder, depth int) (Value, error) {
	if depth == 0 {
		return Value{}, errDeep
	}
	tok, err := d.Token()
	if err != nil {
		return Value{}, errors.New("the text is not JSON") // the decoder's own words quote it
	}
	switch t := tok.(type) {
	case json.Delim:
		return readJSONList(d, t, depth)
	case string:
		return Value{Kind: Text, Text: t}, nil
	case json.Number:
		return Value{Kind: Number, Text: t.String()}, nil
	case bool:
		return Value{Kind: Bool, Text: fmt.Sprint(t)}, nil
	}
	return Value{}, nil
}

func readJSONList(d *json.Decoder, open json.Delim, depth int) (v Value, err error) {
	if v.Kind = List; open == '{' {
		v.Kind = Map
	}
	for d.More() {
		var name json.Token
		if v.Kind == Map {
			if name, err = d.Token(); err != nil {
				return v, errors.New("the text is not JSON")
			}
		}
		item, err := readJSON(d, depth-1)
		if err != nil {
			return v, err
		}
		if v.Kind == Map {
			v.Keys = append(v.Keys, Key{Name: name.(string), Value: item}) // the decoder allows no other
		} else {
			v.Items = append(v.Items, item)
		}
	}
	if _, err = d.Token(); err != nil {
		return v, errors.New("the text is not JSON")
	}
	return v, nil
}
