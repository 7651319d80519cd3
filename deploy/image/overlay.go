package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"go/format"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"text/template"
)

// bundle is where the overlay's packages seem to be: cmd/internal packages can be
// imported there.
const bundle = "cmd/internal/bundle"

// A command is a folder of cmd/.
type command struct {
	Name  string
	files []string // without tests
}

// Binary is the name that the command is called by; that of the Makefile.
func (c command) Binary() string {
	if c.Name == "relayctl" || c.Name == "graphsim" {
		return c.Name
	}
	return "changerelay-" + c.Name
}

func commands(dir string) (list []command, err error) {
	mains, err := filepath.Glob(filepath.Join(dir, "*", "main.go"))
	if err != nil || len(mains) == 0 {
		return nil, fmt.Errorf("there is no command in %s; run this in the root of the repository (%w)", dir, err)
	}
	for _, main := range mains {
		c := command{Name: filepath.Base(filepath.Dir(main))}
		for _, kind := range []string{"*.go", "*.yaml"} { // the latter are embedded
			found, err := filepath.Glob(filepath.Join(filepath.Dir(main), kind))
			if err != nil {
				return nil, err
			}
			for _, f := range found {
				if !strings.HasSuffix(f, "_test.go") {
					c.files = append(c.files, f)
				}
			}
		}
		list = append(list, c)
	}
	return list, nil
}

var (
	packageLine = regexp.MustCompile(`(?m)^package main$`)
	mainLine    = regexp.MustCompile(`(?m)^func main\(\)`)
)

// overlay writes the bundle's files to dir, and a file for go build -overlay, whose
// name it returns.
func overlay(list []command, dir string) (string, error) {
	replace := map[string]string{}
	put := func(name string, data []byte) error {
		at, err := filepath.Abs(filepath.Join(bundle, name))
		if err != nil {
			return err
		}
		to := filepath.Join(dir, name)
		replace[at] = to
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			return err
		}
		return os.WriteFile(to, data, 0o644)
	}
	for _, c := range list {
		for _, f := range c.files {
			data, err := os.ReadFile(f)
			if err != nil {
				return "", err
			}
			if strings.HasSuffix(f, ".go") {
				data = mainLine.ReplaceAll(packageLine.ReplaceAll(data, []byte("package "+c.Name)), []byte("func Main()"))
			}
			if err := put(filepath.Join(c.Name, filepath.Base(f)), data); err != nil {
				return "", err
			}
		}
	}
	main, err := dispatcher(list)
	if err != nil {
		return "", err
	}
	if err := put("main.go", main); err != nil {
		return "", err
	}
	table, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	name := filepath.Join(dir, "overlay.json")
	return name, os.WriteFile(name, table, 0o644)
}

var dispatch = template.Must(template.New("").Parse(`package main

import (
	"fmt"
	"os"
	"path/filepath"
{{range .}}
	"changerelay/` + bundle + `/{{.Name}}"{{end}}
)

func main() {
	if filepath.Base(os.Args[0]) == "changerelay" && len(os.Args) > 1 {
		os.Args = os.Args[1:]
	}
	switch filepath.Base(os.Args[0]) { {{range .}}
	case "{{.Binary}}":
		{{.Name}}.Main(){{end}}
	default:
		fmt.Fprintln(os.Stderr, "changerelay: want one of{{range .}} {{.Binary}}{{end}}")
		os.Exit(2)
	}
}
`))

// dispatcher is the bundle's main function.
func dispatcher(list []command) ([]byte, error) {
	var b bytes.Buffer
	if err := dispatch.Execute(&b, list); err != nil {
		return nil, err
	}
	return format.Source(b.Bytes())
}
