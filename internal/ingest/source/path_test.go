package source

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"changerelay/internal/events"
)

const pathBody = `{
	"issue": {"fields": {"customfield_10231": "dev", "empty": "", "null": null, "unset": [], "blank": {"value": " "}}},
	"changes": [{"id": "first"}, {"id": 2}],
	"custom_fields": [7, {"name": "other", "value": "x"}, {"name": "device", "value": "y"}, {"id": 30015291240347, "value": "z"}],
	"a.b": {"c": "dotted"},
	"Two Words": "spaced",
	"lists": [["deep"]]
}`

func TestPath(t *testing.T) {
	doc, err := events.JSON([]byte(pathBody), "body", MaxDepth)
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]struct {
		v     any
		name  string // "" is the path
		there bool
	}{
		"issue.fields.customfield_10231":            {"dev", "", true},
		"issue.fields.customfield_10232":            {nil, "", false},
		"issue.fields.null":                         {nil, "", true},
		"issue.fields.customfield_10231.value":      {nil, "", false},
		"issue.fields[0]":                           {nil, "", false},
		"changes[0].id":                             {"first", "", true},
		"changes[1].id":                             {json.Number("2"), "", true},
		"changes[2].id":                             {nil, "", false},
		"changes.id":                                {nil, "", false},
		"custom_fields[name=device].value":          {"y", "", true},
		"custom_fields[ name = device ].value":      {"y", "", true},
		"custom_fields[id=30015291240347].value":    {"z", "", true},
		"custom_fields[name=none].value":            {nil, "", false},
		`["a.b"].c`:                                 {"dotted", "", true},
		"Two Words":                                 {"spaced", "", true},
		"two words":                                 {nil, "", false},
		"lists[0][0]":                               {"deep", "", true},
		"=remove":                                   {"remove", "", true},
		"= a b ":                                    {" a b", "= a b", true},
		"gone | issue.fields.empty | changes[0].id": {"first", "changes[0].id", true},
		"gone|issue.fields.null|issue.fields.empty|also":      {nil, "issue.fields.null", true},
		"issue.fields.unset | issue.fields.blank | Two Words": {"spaced", "Two Words", true},
		"gone | also":     {nil, "gone", false},
		"gone | =restore": {"restore", "=restore", true},
		"issue.fields.customfield_10231 | =00000000-0000-0000-00": {"dev", "issue.fields.customfield_10231", true},
	} {
		p, err := compilePath(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		v, name, there := p.find(doc)
		if want.name == "" {
			want.name = text
		}
		if !reflect.DeepEqual(v, want.v) || name != want.name || there != want.there {
			t.Errorf("%s: got %v, %q, %v; want %v", text, v, name, there, want)
		}
	}
}

func TestBadPath(t *testing.T) {
	for text, want := range map[string]string{
		"":                          "is empty",
		"a | ":                      "has an empty alternative",
		"a || b":                    "has an empty alternative",
		"=":                         "has a = without the text",
		"a.":                        "has a dot without a name",
		".a":                        "has a dot without a name",
		"a..b":                      "has a dot without a name",
		"a.[0]":                     "has a dot before a [",
		"a[0]b":                     "has a name right after a ]",
		"a[0":                       "has a [ without its ]",
		`["a`:                       `has a [" without a name and "]`,
		`[""]`:                      `has a [" without a name and "]`,
		"a[]":                       "has []; want a place",
		"a[-1]":                     "has [-1]; want a place",
		"a[+1]":                     "has [+1]; want a place",
		"a[01]":                     "has [01]; want a place",
		"a[9999999999999999999999]": "want a place",
		"a[name=]":                  "has [name=]; want a place",
		"a[=device]":                "has [=device]; want a place",
		"a[name]":                   "has [name]; want a place",
	} {
		if p, err := compilePath(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, %v; want %s", text, p, err, want)
		}
	}
}

// FuzzPath follows a stranger's path in a stranger's body; and finds the body's
// own members by the paths that name them.
func FuzzPath(f *testing.F) {
	for _, text := range []string{"issue.fields.customfield_10231", "changes[1].id", "custom_fields[name=device].value", `["a.b"].c`, "a | =b", "=", "a..b", "a[", "lists[0][0]", `["`} {
		f.Add(text, []byte(pathBody))
	}
	f.Fuzz(func(t *testing.T, text string, body []byte) {
		doc, err := events.JSON(body, "body", MaxDepth)
		if err != nil {
			return
		}
		if p, err := compilePath(text); err == nil {
			if v, name, there := p.find(doc); name == "" || !there && v != nil || !strings.Contains(text, name) {
				t.Fatalf("%q finds %v, %q, %v", text, v, name, there)
			}
		}
		m, _ := doc.(map[string]any)
		for name, want := range m {
			if name == "" || strings.ContainsAny(name, `|"`) {
				continue
			}
			p, err := compilePath(`["` + name + `"]`)
			if err != nil {
				t.Fatalf("%q: %v", name, err)
			}
			if got, _, there := p.find(doc); !there || !reflect.DeepEqual(got, want) {
				t.Fatalf("%q is %v, %v; want %v", name, got, there, want)
			}
		}
	})
}
