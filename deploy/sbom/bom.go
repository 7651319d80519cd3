package main

import (
	"cmp"
	"runtime/debug"
	"slices"
	"strings"
)

// A program is a binary and what its linker says of it.
type program struct {
	name string
	info *debug.BuildInfo
}

// A bom is the part of CycloneDX 1.6 that is written here
// (cyclonedx.org/docs/1.6/json). It has no time and no serial number, which may be
// left out and would be others each time.
type bom struct {
	Format       string       `json:"bomFormat"`
	Spec         string       `json:"specVersion"`
	Version      int          `json:"version"`
	Metadata     metadata     `json:"metadata"`
	Components   []component  `json:"components"`
	Dependencies []dependency `json:"dependencies"`
}

type metadata struct {
	Component component `json:"component"`
}

type component struct {
	Type       string     `json:"type"`
	Ref        string     `json:"bom-ref"`
	Name       string     `json:"name"`
	Version    string     `json:"version"`
	PURL       string     `json:"purl,omitempty"`
	Licenses   []license  `json:"licenses,omitempty"`
	Properties []property `json:"properties,omitempty"`
}

type license struct {
	License struct {
		ID string `json:"id"`
	} `json:"license"`
}

type property struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

type dependency struct {
	Ref string   `json:"ref"`
	On  []string `json:"dependsOn"`
}

// list makes the bill: each binary, each module once, and which is in which.
func list(version string, programs []program, folders map[string]string) bom {
	root := component{Type: "application", Ref: "changerelay", Name: "changerelay", Version: version, Licenses: licensed("Apache-2.0")}
	b := bom{Format: "CycloneDX", Spec: "1.6", Version: 1, Metadata: metadata{root}}
	modules := map[string]component{}
	all := dependency{Ref: root.Ref}
	for _, p := range programs {
		ref := "changerelay/" + p.name
		b.Components = append(b.Components, component{Type: "application", Ref: ref, Name: p.name, Version: version})
		all.On = append(all.On, ref)
		has := dependency{Ref: ref}
		for _, m := range linked(p.info) {
			c := module(m, folders)
			modules[c.Ref] = c
			has.On = append(has.On, c.Ref)
		}
		slices.Sort(has.On)
		b.Dependencies = append(b.Dependencies, has)
	}
	slices.Sort(all.On)
	b.Dependencies = append(b.Dependencies, all)
	for _, c := range modules {
		b.Components = append(b.Components, c)
	}
	slices.SortFunc(b.Components, func(x, y component) int { return cmp.Or(cmp.Compare(x.Type, y.Type), cmp.Compare(x.Ref, y.Ref)) })
	slices.SortFunc(b.Dependencies, func(x, y dependency) int { return cmp.Compare(x.Ref, y.Ref) })
	return b
}

// linked are the modules of a binary, as replaced; Go's own library is one.
func linked(info *debug.BuildInfo) []debug.Module {
	std, _, _ := strings.Cut(info.GoVersion, " ") // behind it stand experiments
	all := []debug.Module{{Path: "stdlib", Version: strings.TrimPrefix(std, "go")}}
	for _, m := range info.Deps {
		if m.Replace != nil {
			m = m.Replace
		}
		all = append(all, *m)
	}
	return all
}

func module(m debug.Module, folders map[string]string) component {
	purl := "pkg:golang/" + m.Path + "@" + strings.ReplaceAll(m.Version, "+", "%2B")
	c := component{Type: "library", Ref: purl, Name: m.Path, Version: m.Version, PURL: purl, Licenses: licensed(found(folders[m.Path+"@"+m.Version]))}
	if m.Path == "stdlib" {
		c.Licenses = licensed(found(folders["stdlib"]))
	}
	if m.Sum != "" {
		c.Properties = []property{{"changerelay:go.sum", m.Sum}}
	}
	return c
}

func licensed(id string) []license {
	if id == "" {
		return nil
	}
	var l license
	l.License.ID = id
	return []license{l}
}
