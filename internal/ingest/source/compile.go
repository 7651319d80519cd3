package source

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// decoder makes the Decoder of a kind that has one form.
func (f form) decoder(c Config) (Decoder, error) {
	d, err := f.compile(c)
	if err != nil {
		return nil, err
	}
	return d, nil
}

// compile makes the form a source's own. Its errors name the field.
func (f form) compile(c Config) (d formDecoder, err error) {
	d = formDecoder{form: f, source: hooks + c.Name, tenant: c.Tenant, own: map[string]bool{}}
	if d.approved, err = f.approving(c.Approved); err != nil {
		return d, err
	}
	if err = d.compilePaths(c.Fields); err != nil {
		return d, err
	}
	if d.tenant == "" && d.paths[Tenant] == nil {
		return d, errors.New("tenants: want exactly one, or fields.tenant: the records do not name any")
	}
	return d, nil
}

// approving are the words that approve. An empty one would approve whatever
// nobody has looked at yet.
func (f form) approving(configured []string) ([]string, error) {
	if configured == nil && f.approved == nil {
		return []string{"approved"}, nil
	}
	if configured == nil {
		return f.approved, nil
	}
	isEmpty := func(word string) bool { return strings.TrimSpace(word) == "" }
	if len(configured) == 0 || slices.ContainsFunc(configured, isEmpty) {
		return nil, errors.New("approved: want one word or several, and none of them empty")
	}
	return configured, nil
}

// compilePaths compiles a path for each meaning that has one.
func (d *formDecoder) compilePaths(configured map[string]string) error {
	for _, meaning := range slices.Sorted(maps.Keys(configured)) {
		if !slices.Contains(Meanings, meaning) {
			return fmt.Errorf("fields.%s: is not a meaning; want one of %s", meaning, strings.Join(Meanings, ", "))
		}
	}
	d.paths = map[string]path{}
	for _, meaning := range Meanings {
		text, own := configured[meaning]
		d.own[meaning] = own
		if !own {
			text = d.fields[meaning]
		}
		if text == "" && !own {
			if slices.Contains(d.required, meaning) {
				return fmt.Errorf("fields.%s: is needed: it is another field at every site, such as %s", meaning, examples[meaning])
			}
			continue
		}
		p, err := compilePath(text)
		if err == nil {
			err = d.judgeFixed(meaning, p)
		}
		if err != nil {
			return fmt.Errorf("fields.%s: %w", meaning, err)
		}
		d.paths[meaning] = p
	}
	return nil
}

// examples are paths of meanings that may be required.
var examples = map[string]string{
	Device: "issue.fields.customfield_10231",
	Items:  "issue.fields.customfield_10232",
	Intent: "issue.fields.customfield_10233, or =remove if its tickets never restore",
}
