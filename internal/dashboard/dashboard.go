// Package dashboard reads the Grafana dashboards of the chart and asks a
// Prometheus what their panels ask. It is how the project proves them without
// Grafana: every expression is evaluated as Grafana would, on real series.
//
//	Read        the files of a folder
//	Expand      an expression with the variables' values in their places
//	Prometheus  what evaluates it
//	Data        a panel's series, as the panel's kind asks for them
//
// It knows the part of Grafana's format that these files use (schema version
// 39, Grafana 10 and newer) and no more.
package dashboard

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
)

// A Dashboard is one file.
type Dashboard struct {
	ID            *int     `json:"id"`
	UID           string   `json:"uid"`
	Title         string   `json:"title"`
	Description   string   `json:"description"`
	SchemaVersion int      `json:"schemaVersion"`
	Tags          []string `json:"tags"`
	Refresh       string   `json:"refresh"`
	Links         []Link   `json:"links"`
	Panels        []Panel  `json:"panels"`
	Templating    struct {
		List []Variable `json:"list"`
	} `json:"templating"`
	Annotations struct {
		List []Annotation `json:"list"`
	} `json:"annotations"`
}

// A Link leads from a dashboard to others, or from a panel to the manual.
type Link struct {
	Type        string   `json:"type"`
	Title       string   `json:"title"`
	URL         string   `json:"url"`
	Tags        []string `json:"tags"`
	IncludeVars bool     `json:"includeVars"`
	KeepTime    bool     `json:"keepTime"`
}

// A Source is where data comes from.
type Source struct {
	Type string `json:"type"`
	UID  string `json:"uid"`
}

// A Variable is chosen on top of a dashboard.
type Variable struct {
	Name       string          `json:"name"`
	Label      string          `json:"label"`
	Type       string          `json:"type"` // datasource, query or textbox
	Datasource Source          `json:"datasource"`
	Definition string          `json:"definition"`
	Query      json.RawMessage `json:"query"` // text, or {"query": text}
	Refresh    int             `json:"refresh"`
	IncludeAll bool            `json:"includeAll"`
	Multi      bool            `json:"multi"`
	AllValue   string          `json:"allValue"`
}

// Text is the variable's query.
func (v Variable) Text() string {
	var text string
	var object struct{ Query string }
	if json.Unmarshal(v.Query, &text) == nil {
		return text
	}
	_ = json.Unmarshal(v.Query, &object)
	return object.Query
}

// An Annotation marks moments in all series of a dashboard.
type Annotation struct {
	Name            string `json:"name"`
	BuiltIn         int    `json:"builtIn"`
	Datasource      Source `json:"datasource"`
	Expr            string `json:"expr"`
	UseValueForTime bool   `json:"useValueForTime"`
}

// Read returns the dashboards of a folder in order of their files' names.
func Read(dir string) ([]Dashboard, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil {
		return nil, fmt.Errorf("reading the dashboards: %w", err)
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("reading the dashboards: there are none in %s", dir)
	}
	var all []Dashboard
	for _, name := range files {
		var d Dashboard
		b, err := os.ReadFile(name)
		if err == nil {
			err = json.Unmarshal(b, &d)
		}
		if err != nil {
			return nil, fmt.Errorf("reading the dashboard %s: %w", name, err)
		}
		all = append(all, d)
	}
	return all, nil
}
