package deploy

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
)

type schema = map[string]any

// The key config takes what the relay takes: the schema of the configuration file is
// part of the chart's, word for word.
func TestSchemaHasTheRelaysOwn(t *testing.T) {
	var values, relay schema
	for name, to := range map[string]*schema{chart + "/values.schema.json": &values, "../cmd/internal/boot/schema.json": &relay} {
		if err := json.Unmarshal(read(t, name), to); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	defs := values["$defs"].(schema)
	for name, def := range relay["$defs"].(schema) { // they refer to #/$defs of whatever file they are in
		defs[name] = def
	}
	config := schema{"description": "The relay's configuration: docs/configuration.md."}
	for key, v := range relay {
		if key != "$defs" && key != "$schema" && key != "title" {
			config[key] = v
		}
	}
	config["type"] = "object" // a file may be empty
	defs["config"] = config
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(values); err != nil {
		t.Fatal(err)
	}
	same(t, chart+"/values.schema.json", b.Bytes())
}

// Every value has a line in the schema, and the schema has none that values.yaml does
// not document.
func TestSchemaIsComplete(t *testing.T) {
	var values, root schema
	if err := yaml.Unmarshal(read(t, chart+"/values.yaml"), &values); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(read(t, chart+"/values.schema.json"), &root); err != nil {
		t.Fatal(err)
	}
	compareKeys(t, root, root, values, "")
}

// foreign are objects of Kubernetes and of the relay, whose keys values.yaml does not
// list, and one that is Helm's own.
var foreign = []string{"config", "global", "resources", "labels", "nodeSelector", "affinity", "external", "volume"}

func compareKeys(t *testing.T, root, s, values schema, at string) {
	if ref, ok := s["$ref"].(string); ok {
		s = root["$defs"].(schema)[strings.TrimPrefix(ref, "#/$defs/")].(schema)
	}
	known, _ := s["properties"].(schema)
	if at == "" || known != nil {
		if s["additionalProperties"] != false {
			t.Errorf("the schema takes unknown keys at %q", at)
		}
	}
	for key, v := range values {
		path := strings.TrimPrefix(at+"."+key, ".")
		inner, ok := known[key].(schema)
		if !ok {
			t.Errorf("values.schema.json does not know %s", path)
			continue
		}
		if m, ok := v.(schema); ok && !slices.Contains(foreign, key) {
			compareKeys(t, root, inner, m, path)
		}
	}
	for key := range known {
		if _, ok := values[key]; !ok && key != "global" {
			t.Errorf("values.yaml does not have %s.%s", at, key)
		}
	}
}
