package dashboard

import "encoding/json"

// A Panel is one picture of a dashboard; a row is the heading of those below it.
type Panel struct {
	ID              int              `json:"id"`
	Type            string           `json:"type"` // row, text, stat, timeseries, heatmap or table
	Title           string           `json:"title"`
	Description     string           `json:"description"`
	Datasource      Source           `json:"datasource"`
	Links           []Link           `json:"links"`
	Pos             Pos              `json:"gridPos"`
	Interval        string           `json:"interval"` // the least between two points; empty: any
	Targets         []Target         `json:"targets"`
	Field           Fields           `json:"fieldConfig"`
	Options         Options          `json:"options"`
	Transformations []Transformation `json:"transformations"`
}

// Pos is a place in a grid of 24 columns and rows of 30 pixels.
type Pos struct{ X, Y, W, H int }

// A Target is one query of a panel.
type Target struct {
	Ref        string `json:"refId"`
	Datasource Source `json:"datasource"`
	Expr       string `json:"expr"`
	Legend     string `json:"legendFormat"`
	Format     string `json:"format"` // table, heatmap, or empty: series
	Instant    bool   `json:"instant"`
	Range      bool   `json:"range"`
	Exemplar   bool   `json:"exemplar"`
}

// Fields say how values are shown: all of them, and those of single columns.
type Fields struct {
	Defaults  Field `json:"defaults"`
	Overrides []struct {
		Matcher struct {
			ID      string `json:"id"`
			Options string `json:"options"`
		} `json:"matcher"`
		Properties []struct {
			ID    string          `json:"id"`
			Value json.RawMessage `json:"value"`
		} `json:"properties"`
	} `json:"overrides"`
}

// A Field is how a value is shown.
type Field struct {
	Unit       string     `json:"unit"`
	Decimals   *int       `json:"decimals"`
	Max        *float64   `json:"max"`
	Mappings   []Mapping  `json:"mappings"`
	Thresholds Thresholds `json:"thresholds"`
	Custom     struct {
		Stacking struct {
			Mode string `json:"mode"`
		} `json:"stacking"`
		Cell Cell `json:"cellOptions"`
	} `json:"custom"`
}

// A Cell is how a table's column is coloured: color-text, or auto, not at all.
type Cell struct {
	Type string `json:"type"`
}

// A Mapping replaces values by words: {"0": {"text": …}}, or what match names.
type Mapping struct {
	Type    string          `json:"type"` // value or special
	Options json.RawMessage `json:"options"`
}

// Thresholds are the colours of values: each from its value on, the first from
// the beginning.
type Thresholds struct {
	Steps []struct {
		Color string   `json:"color"`
		Value *float64 `json:"value"`
	} `json:"steps"`
}

// Options are those of text panels; the other kinds' are Grafana's business.
type Options struct {
	Mode    string `json:"mode"`
	Content string `json:"content"`
}

// A Transformation changes a table's columns: merge or organize.
type Transformation struct {
	ID      string `json:"id"`
	Options struct {
		Exclude map[string]bool   `json:"excludeByName"`
		Index   map[string]int    `json:"indexByName"`
		Rename  map[string]string `json:"renameByName"`
	} `json:"options"`
}

// Column is how the column of that heading is shown.
func (f Fields) Column(heading string) Field {
	field := f.Defaults
	for _, o := range f.Overrides {
		if o.Matcher.ID != "byName" || o.Matcher.Options != heading {
			continue
		}
		for _, p := range o.Properties {
			into := map[string]any{"unit": &field.Unit, "mappings": &field.Mappings, "thresholds": &field.Thresholds, "decimals": &field.Decimals, "custom.cellOptions": &field.Custom.Cell}[p.ID]
			if into != nil {
				_ = json.Unmarshal(p.Value, into) // a test holds the files to the form
			}
		}
	}
	return field
}
