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
		f := p.find(doc)
		if want.name == "" {
			want.name = text
		}
		if !reflect.DeepEqual(f.value, want.v) || f.at.text != want.name || f.there != want.there {
			t.Errorf("%s: got %v, want %v", text, f, want)
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
		"a[*].id":                   "has [*], and a path leads to one entry",
		"a[name='x'].id":            "has [name='x']; write [name=x]",
		`a[name="x"]`:               `has [name="x"]; write [name=x]`,
		"a[name==x]":                "has [name==x]; write [name=x]",
		"a[name == 'x y']":          "has [name == 'x y']; write [name=x y]",
		"a['b.c']":                  `has ['b.c']; write ["b.c"]`,
		"$":                         "is the whole body in JSONPath",
		"$.result.y":                "is JSONPath; write result.y",
		"$['a']['b.c'][0]":          `is JSONPath; write ["a"]["b.c"][0]`,
		"/result/u_x":               "is a JSON pointer; write result.u_x",
		"/a/0/b~1c/d.e/~0":          `is a JSON pointer; write a[0].b/c["d.e"].~`,
		"a | /b":                    "is a JSON pointer; write b",
	} {
		if p, err := compilePath(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, %v; want %s", text, p, err, want)
		}
	}
}

// checkElsewhere follows the path that people are told to take instead.
func checkElsewhere(t *testing.T, p path, doc any) {
	t.Helper()
	at := p.elsewhere(doc)
	if at == "" || strings.ContainsAny(at, `|"`) {
		return
	}
	there, err := compilePath(at)
	if err != nil || !there.find(doc).there {
		t.Fatalf("%v is said to be at %q, %v", p, at, err)
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
			f := p.find(doc)
			if f.at.text == "" || !f.there && f.value != nil || !strings.Contains(text, f.at.text) {
				t.Fatalf("%q finds %v", text, f)
			}
			checkElsewhere(t, p, doc)
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
			if f := p.find(doc); !f.there || !reflect.DeepEqual(f.value, want) {
				t.Fatalf("%q is %v; want %v", name, f, want)
			}
		}
	})
}
