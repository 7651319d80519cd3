package verify

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// newHTTPSignature compiles an HTTPSignature.
func newHTTPSignature(s HTTPSignature) (check, error) {
	c := &httpSignature{keys: map[string]httpKey{}, tag: s.Tag, tolerance: s.Tolerance}
	if c.tolerance == 0 {
		c.tolerance = DefaultTolerance
	}
	var outside error
	if c.tolerance < MinTolerance || c.tolerance > MaxTolerance {
		outside = fmt.Errorf("tolerance: %v is not within %v to %v", c.tolerance, MinTolerance, MaxTolerance)
	}
	if err := errors.Join(c.addKeys(s.Keys), c.addComponents(s.Components), outside); err != nil {
		return nil, err
	}
	return c, nil
}

func (c *httpSignature) addKeys(keys []HTTPKey) error {
	var plain []Key
	for i, k := range keys {
		if k.ID == "" {
			return fmt.Errorf("keys[%d].id: is empty; want the sender's keyid", i)
		}
		plain = append(plain, k.Key)
	}
	ring, err := newKeys(plain, func(secret string) ([]byte, error) { return []byte(strings.TrimSpace(secret)), nil })
	if err != nil {
		return err
	}
	for i, k := range ring {
		compiled, err := newHTTPKey(k, keys[i].Algorithm)
		if err != nil {
			return fmt.Errorf("keys[%d].%w", i, err)
		}
		c.keys[k.id], c.ids = compiled, append(c.ids, k.id)
	}
	return nil
}

// addComponents takes nil for the default. An empty list is an administrator's
// word that the signature need cover nothing; the channel then has to vouch for
// the body. A list without the body's digest is taken for a mistake.
func (c *httpSignature) addComponents(list []string) error {
	if list == nil {
		list = DefaultComponents
	}
	for i, name := range list {
		name = strings.ToLower(name)
		if derived[name] == nil && name != "host" && !isHeader(name) {
			return fmt.Errorf("components[%d]: %q is no header, and not @method, @authority, @path or @query; "+
				"what holds the scheme cannot be checked behind a proxy", i, name)
		}
		if slices.Contains(c.components, name) {
			return fmt.Errorf("components[%d]: %q is listed twice", i, name)
		}
		c.components = append(c.components, name)
	}
	c.signsBody = slices.Contains(c.components, "content-digest")
	if len(list) > 0 && !c.signsBody {
		return errors.New("components: lacks content-digest, so that anybody could swap the body; add it, or ask for nothing with an empty list")
	}
	return nil
}
