package graphsim

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestParseSet(t *testing.T) {
	long := strings.Repeat("x", 41)
	for _, c := range []struct {
		body     string
		ok, ro   bool
		describe string
	}{
		{`{"deviceAssignmentItems":[]}`, true, false, "empty"},
		{`{"deviceAssignmentItems":[{"itemId":"a","itemType":"application"}]}`, true, false, "one"},
		{`{"deviceAssignmentItems":[{"@odata.type":"#microsoft.graph.deviceAssignmentItem","itemId":"a","itemType":"deviceConfiguration","assignmentItemActionIntent":"remove"}]}`, true, false, "all that may be said"},
		{`{"deviceAssignmentItems":[{"itemId":"a","itemType":"application","errorCode":9}]}`, true, true, "read-only"},
		{``, false, false, "no body"},
		{`null`, false, false, "null body"},
		{`{"deviceAssignmentItems":7}`, false, false, "number list"},
		{`{"deviceAssignmentItems":[null]}`, false, false, "null item"},
		{`{"deviceAssignmentItems":[]} x`, false, false, "trailing"},
		{`{"DeviceAssignmentItems":[]}`, false, false, "wrong case"},
		{`{"deviceAssignmentItems":[],"more":1}`, false, false, "more parameters"},
		{`{"deviceAssignmentItems":[{"itemId":"","itemType":"application"}]}`, false, false, "empty id"},
		{`{"deviceAssignmentItems":[{"itemId":"` + long + `","itemType":"application"}]}`, false, false, "long id"},
		{`{"deviceAssignmentItems":[{"itemId":7,"itemType":"application"}]}`, false, false, "number id"},
		{`{"deviceAssignmentItems":[{"itemId":null,"itemType":"application"}]}`, false, false, "null id"},
		{`{"deviceAssignmentItems":[{"itemId":"a"}]}`, false, false, "no type"},
		{`{"deviceAssignmentItems":[{"itemId":"a","itemType":"app"}]}`, false, false, "wrong type"},
		{`{"deviceAssignmentItems":[{"itemId":"a","itemType":"unknownFutureValue"}]}`, false, false, "future type"},
		{`{"deviceAssignmentItems":[{"itemId":"a","itemType":"application","assignmentItemActionIntent":"restore"}]}`, false, false, "restore intent"},
		{`{"deviceAssignmentItems":[{"itemId":"a","itemType":"application","itemid":"b"}]}`, false, false, "unknown property"},
	} {
		p, bad := parseSet([]byte(c.body))
		if (bad == nil) != c.ok || p.readOnly != c.ro || p.null || p.twice {
			t.Errorf("%s: refused %v, parsed %+v", c.describe, bad, p)
		}
	}
}

// What a knob decides about is only noted.
func TestParseSetNotes(t *testing.T) {
	for body, want := range map[string]parsed{
		`{}`:                             {null: true},
		`{"deviceAssignmentItems":null}`: {null: true},
		`{"deviceAssignmentItems":[{"itemId":"a","itemType":"application"},{"itemId":"A","itemType":"application"}]}`: {
			twice: true, items: []Item{{"a", "application"}}},
	} {
		got, bad := parseSet([]byte(body))
		if bad != nil || got.null != want.null || got.twice != want.twice || !slices.Equal(got.items, want.items) {
			t.Errorf("%s: %v, %+v", body, bad, got)
		}
	}
}

func FuzzParseSet(f *testing.F) {
	for _, s := range []string{
		`{"deviceAssignmentItems":[]}`,
		`{"deviceAssignmentItems":[{"itemId":"a","itemType":"application"}]}`,
		`{"deviceAssignmentItems":[{"@odata.type":"microsoft.graph.deviceAssignmentItem","itemId":"\ud800","itemType":"mobileAppConfiguration","errorCode":null}]}`,
		`{"deviceAssignmentItems":[{"itemId":"a","itemType":"application"},{"itemId":"A","itemType":"application"}]}`,
		`{"deviceAssignmentItems":{}}`, `{`, ``,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		p, bad := parseSet(body)
		items := p.items
		if bad != nil {
			if bad.status < 400 || items != nil {
				t.Fatalf("refused with %+v and %d items", bad, len(items))
			}
			return
		}
		list := []map[string]string{}
		for _, it := range items {
			if n := utf8.RuneCountInString(it.ID); n < 1 || n > maxItemID || !itemTypes[it.Type] {
				t.Fatalf("accepted %+v", it)
			}
			list = append(list, map[string]string{"itemId": it.ID, "itemType": it.Type})
		}
		again, err := json.Marshal(map[string]any{"deviceAssignmentItems": list})
		if err != nil {
			t.Fatal(err)
		}
		if second, bad := parseSet(again); len(again) <= maxBody && (bad != nil || second.readOnly || second.twice || !slices.Equal(items, second.items)) {
			t.Fatalf("%s does not survive being written again: %v", body, bad)
		}
	})
}
