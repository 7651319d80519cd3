// Command schemas makes the schemas that the chart's objects are checked against
// from Kubernetes' own description of its API and from CRDs. README.md says where
// those come from.
//
//	go run ./deploy/schemas -api swagger.json CRD.yaml...
//
// Only the kinds that the chart has are kept, without descriptions; unknown fields
// are errors, as they are to a strict API server.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/goccy/go-yaml"
)

// kinds are those of Kubernetes itself that the chart has.
var kinds = []string{
	"api.core.v1.ConfigMap", "api.core.v1.Namespace", "api.core.v1.Pod", "api.core.v1.Secret", "api.core.v1.Service", "api.core.v1.ServiceAccount",
	"api.apps.v1.Deployment", "api.apps.v1.StatefulSet", "api.autoscaling.v2.HorizontalPodAutoscaler", "api.policy.v1.PodDisruptionBudget",
	"api.networking.v1.Ingress", "api.networking.v1.NetworkPolicy",
}

const (
	local  = "#/definitions/"
	shared = "definitions.json"
)

type schema = map[string]any

func main() {
	api := flag.String("api", "swagger.json", "the API server's /openapi/v2")
	out := flag.String("o", "deploy/schemas", "folder to write to")
	flag.Parse()
	err := builtin(*api, *out)
	for _, crd := range flag.Args() {
		if err == nil {
			err = custom(crd, *out)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "schemas:", err)
		os.Exit(1)
	}
}

// builtin writes a file for each of our kinds, and one with what they refer to.
func builtin(api, out string) error {
	data, err := os.ReadFile(api)
	if err != nil {
		return err
	}
	var doc struct{ Definitions map[string]schema }
	if err := json.Unmarshal(data, &doc); err != nil {
		return fmt.Errorf("reading %s: %w", api, err)
	}
	used := map[string]any{}
	for _, kind := range kinds {
		name := "io.k8s." + kind
		def, ok := doc.Definitions[name]
		if !ok {
			return fmt.Errorf("%s has no %s", api, name)
		}
		collect(def, doc.Definitions, used)
		if err := write(out, file(def), strict(def)); err != nil {
			return err
		}
	}
	for name := range used {
		used[name] = strict(doc.Definitions[name])
	}
	return write(out, shared, schema{"definitions": used})
}

// collect finds what a schema refers to.
func collect(v any, all map[string]schema, used map[string]any) {
	switch x := v.(type) {
	case schema:
		if ref, ok := x["$ref"].(string); ok {
			name := strings.TrimPrefix(ref, local)
			if _, known := used[name]; !known {
				used[name] = nil
				collect(all[name], all, used)
			}
		}
		for _, inner := range x {
			collect(inner, all, used)
		}
	case []any:
		for _, inner := range x {
			collect(inner, all, used)
		}
	}
}

// file is a kind's name as kubeconform makes it of kind, group and version.
func file(def schema) string {
	g := def["x-kubernetes-group-version-kind"].([]any)[0].(schema)
	return fileOf(g["kind"].(string), g["group"].(string), g["version"].(string))
}

func fileOf(kind, group, version string) string {
	parts := []string{strings.ToLower(kind)}
	if group != "" {
		first, _, _ := strings.Cut(group, ".")
		parts = append(parts, first)
	}
	return strings.Join(append(parts, version), "-") + ".json"
}

// custom writes the served versions of a CRD.
func custom(path, out string) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var crd struct {
		Spec struct {
			Group    string
			Names    struct{ Kind string }
			Versions []struct {
				Name   string
				Served bool
				Schema struct {
					OpenAPIV3Schema schema `yaml:"openAPIV3Schema"`
				}
			}
		}
	}
	if err := yaml.Unmarshal(data, &crd); err != nil {
		return fmt.Errorf("reading %s: %w", path, err)
	}
	for _, v := range crd.Spec.Versions {
		if !v.Served {
			continue
		}
		if err := write(out, fileOf(crd.Spec.Names.Kind, crd.Spec.Group, v.Name), strict(v.Schema.OpenAPIV3Schema)); err != nil {
			return err
		}
	}
	return nil
}

func write(dir, name string, v any) error {
	data, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, name), append(data, '\n'), 0o644)
}
