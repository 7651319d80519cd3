package main

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestVerdict(t *testing.T) {
	const fine = `[{"N":1,"Device":"d","Items":[{"ID":"a"}],"Applied":true,"Order":1},{"N":2,"Device":"d","Items":[{"ID":"a"},{"ID":"b"}],"Applied":true,"Order":2}]`
	once := map[string][]string{"1": {"accepted"}, "2": {"unchanged"}}
	for _, c := range []struct {
		name, calls string
		ends        map[string][]string
		fault       string
	}{
		{"all is well", fine, once, ""},
		{"another's device is nobody's business", strings.Replace(fine, `"d"`, `"x"`, 1), once, ""},
		{"a call without effect", strings.Replace(fine, `true,"Order":1`, `false,"Order":0`, 1), once, ""},
		{"no outcome", fine, map[string][]string{"1": {"accepted"}}, "2 has 0 outcomes"},
		{"two outcomes", fine, map[string][]string{"1": {"accepted"}, "2": {"accepted", "expired"}}, "2 has 2 outcomes"},
		{"a bad outcome", fine, map[string][]string{"1": {"accepted"}, "2": {"superseded"}}, "2 ended superseded"},
		{"an overlap", strings.Replace(fine, `"N":2`, `"N":2,"Overlap":true`, 1), once, "call 2 overlapped"},
		{"no effect", strings.Replace(fine, `"b"`, `"c"`, 1), once, "2 had no effect"},
		{"the same again", strings.Replace(fine, `,"Order":1`, `,"Order":3`, 1), once, "call 1 repeated"},
		{"something undone", strings.Replace(fine, `{"ID":"a"},{"ID":"b"}`, `{"ID":"b"},{"ID":"c"}`, 1), once, "call 2 undid a"},
	} {
		var calls []call
		if err := json.Unmarshal([]byte(c.calls), &calls); err != nil {
			t.Fatal(err)
		}
		kept := map[string]event{"1": {device: "d", item: "a"}, "2": {device: "d", item: "b"}}
		got := strings.Join(verdict(kept, c.ends, calls).faults, "; ")
		if (got == "") != (c.fault == "") || !strings.Contains(got, c.fault) {
			t.Errorf("%s: %q, want %q", c.name, got, c.fault)
		}
	}
}
