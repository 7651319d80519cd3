package main

import (
	"maps"
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"changerelay/cmd/internal/boot"
)

// A cursor is where a command line has come to.
type cursor struct {
	node   *kong.Node
	flag   *kong.Flag // whose value is next
	args   int        // positional ones so far
	plain  bool       // behind "--"
	config string     // of --config, as far as it is there
}

// candidates are the continuations of the last word. bash splits --flag=value
// into three words, the others do not.
func candidates(root *kong.Node, words []string) []string {
	if len(words) == 0 {
		words = []string{""}
	}
	last := words[len(words)-1]
	c := cursor{node: root}
	for _, w := range words[:len(words)-1] {
		c.pass(w)
	}
	if last == "=" {
		last = ""
	}
	prefix := ""
	if name, value, ok := strings.Cut(last, "="); ok && strings.HasPrefix(name, "--") && !c.plain {
		c.flag = c.flagOf(name)
		prefix, last = name+"=", value
	}
	var found []string
	for _, w := range c.offers(prefix == "" && strings.HasPrefix(last, "-")) {
		if strings.HasPrefix(w, last) {
			found = append(found, prefix+w)
		}
	}
	slices.Sort(found)
	return slices.Compact(found)
}

// pass goes over one word.
func (c *cursor) pass(w string) {
	switch {
	case w == "=": // bash's, between a flag and its value
	case c.flag != nil:
		c.took(c.flag, w)
		c.flag = nil
	case w == "--":
		c.plain = true
	case !c.plain && strings.HasPrefix(w, "-"):
		name, value, given := strings.Cut(w, "=")
		f := c.flagOf(name)
		if given && f != nil {
			c.took(f, value)
		} else if f != nil && !f.IsBool() && !f.IsCounter() {
			c.flag = f
		}
	default:
		for _, child := range c.node.Children {
			if child.Name == w {
				c.node, c.args = child, 0
				return
			}
		}
		c.args++
		if d := c.node.DefaultCmd; d != nil {
			c.node = d // its name is left out
		}
	}
}

func (c *cursor) took(f *kong.Flag, value string) {
	if f.Name == "config" {
		c.config = value
	}
}

// flags are those of the command and of what it is below, or of the command that is
// meant if none is named.
func (c *cursor) flags() (all []*kong.Flag) {
	node := c.node
	if node.DefaultCmd != nil {
		node = node.DefaultCmd
	}
	for _, group := range node.AllFlags(true) {
		all = append(all, group...)
	}
	return all
}

func (c *cursor) flagOf(name string) *kong.Flag {
	for _, f := range c.flags() {
		if "--"+f.Name == name || f.Short != 0 && "-"+string(f.Short) == name {
			return f
		}
	}
	return nil
}

// offers are all words that may come next.
func (c *cursor) offers(flags bool) (all []string) {
	switch {
	case c.flag != nil:
		return c.values(c.flag.Value)
	case flags && !c.plain:
		for _, f := range c.flags() {
			all = append(all, "--"+f.Name)
		}
		return all
	}
	for _, child := range c.node.Children {
		if !child.Hidden {
			all = append(all, child.Name)
		}
	}
	args := c.node.Positional
	if c.node.DefaultCmd != nil {
		args = c.node.DefaultCmd.Positional
	}
	if n := len(args); n > 0 && (c.args < n || args[n-1].IsCumulative()) {
		all = append(all, c.values(args[min(c.args, n-1)])...)
	}
	return all
}

// values are what a flag or an argument can be, if that is known.
func (c *cursor) values(v *kong.Value) []string {
	if v.Enum != "" {
		return v.EnumSlice()
	}
	conf, err := boot.Load(c.file())
	if err != nil {
		return nil // of a file with mistakes, config lint speaks
	}
	switch v.Name {
	case "tenant":
		return conf.TenantNames()
	case "source":
		return slices.Collect(maps.Keys(conf.Sources))
	}
	return nil
}

// file is the configuration that the line would use.
func (c *cursor) file() string {
	if c.config != "" {
		return c.config
	}
	var f boot.Flags
	if k, err := kong.New(&f); err == nil {
		_, _ = k.Parse(nil)
	}
	return f.Config
}
