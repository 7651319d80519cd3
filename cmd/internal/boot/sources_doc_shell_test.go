package boot_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"changerelay/cmd/internal/boot"
)

// checkShell has the shell read a block without running it, and holds each call
// of relayctl in it against the program's own command line.
func checkShell(t *testing.T, b block) {
	t.Helper()
	sh, err := exec.LookPath("sh")
	if err != nil {
		t.Skip("there is no shell to read it")
	}
	c := exec.Command(sh, "-n")
	c.Stdin = strings.NewReader(b.text)
	if out, err := c.CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
	known := readGrammar(t)
	for line := range strings.Lines(strings.ReplaceAll(b.text, "\\\n", " ")) {
		for _, command := range regexp.MustCompile(`[|;()]`).Split(line, -1) {
			if words := strings.Fields(command); len(words) > 0 && words[0] == "relayctl" {
				known.check(t, words[1:])
			}
		}
	}
}

// A grammar is the fields of relayctl's types, by type. The program cannot be
// imported; its commands and flags are fields with tags.
type grammar map[string][]option

type option struct {
	name, of string // as on the command line, "" of an embedded struct; its type
	tag      reflect.StructTag
}

func readGrammar(t *testing.T) grammar {
	t.Helper()
	files, err := filepath.Glob("../../relayctl/*.go")
	if err != nil || len(files) == 0 {
		t.Fatal("relayctl has no files: ", err)
	}
	g := grammar{}
	for _, name := range files {
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			if spec, ok := n.(*ast.TypeSpec); ok {
				if s, ok := spec.Type.(*ast.StructType); ok {
					g[spec.Name.Name] = options(s)
				}
			}
			return true
		})
	}
	return g
}

// dashed finds where a flag's name has a dash: relayctl's --by-name is ByName.
var dashed = regexp.MustCompile(`([a-z])([A-Z])`)

func options(s *ast.StructType) (list []option) {
	for _, f := range s.Fields.List {
		var tag reflect.StructTag
		if f.Tag != nil {
			tag = reflect.StructTag(strings.Trim(f.Tag.Value, "`"))
		}
		of := ""
		if id, ok := f.Type.(*ast.Ident); ok {
			of = id.Name
		}
		if len(f.Names) == 0 {
			list = append(list, option{"", of, tag})
		}
		for _, name := range f.Names {
			flag := strings.ToLower(dashed.ReplaceAllString(name.Name, "$1-$2"))
			if own := tag.Get("name"); own != "" {
				flag = own
			}
			list = append(list, option{flag, of, tag})
		}
	}
	return list
}

// check follows the words through commands to flags and their values.
func (g grammar) check(t *testing.T, words []string) {
	t.Helper()
	at := "cli"
	for len(words) > 0 && !strings.HasPrefix(words[0], "-") {
		i := slices.IndexFunc(g[at], func(o option) bool {
			_, isCommand := o.tag.Lookup("cmd")
			return isCommand && o.name == words[0]
		})
		if i < 0 {
			break // an argument
		}
		at, words = g[at][i].of, words[1:]
	}
	if at == "cli" {
		t.Errorf("relayctl has no command %q", words)
	}
	for _, word := range words {
		if flag, isFlag := strings.CutPrefix(word, "--"); isFlag && !g.knows(at, flag) {
			t.Errorf("relayctl %s has no flag --%s", at, flag)
		}
	}
}

func (g grammar) knows(command, flag string) bool {
	config := strings.ToLower(reflect.TypeFor[boot.Flags]().Field(0).Name)
	return flag == config || slices.ContainsFunc(g[command], func(o option) bool {
		_, isHelped := o.tag.Lookup("help")
		return isHelped && o.name == flag || o.name == "" && o.of != "" && g.knows(o.of, flag)
	})
}
