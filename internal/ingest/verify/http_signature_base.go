package verify

import (
	"net/textproto"
	"slices"
	"strings"

	"github.com/dunglas/httpsfv"
)

// maxComponents bounds what one label covers: all of it is looked up before
// anything is verified.
const maxComponents = 32

// parameters of a signature, with their types (RFC 9421, section 2.3). Others
// are refused.
var parameters = map[string]func(any) bool{
	"created": isA[int64], "expires": isA[int64],
	"nonce": isA[string], "alg": isA[string], "keyid": isA[string], "tag": isA[string],
}

func isA[T any](v any) bool { _, ok := v.(T); return ok }

// param returns a parameter of the type T.
func param[T any](p *httpsfv.Params, name string) (T, bool) {
	v, _ := p.Get(name)
	t, ok := v.(T)
	return t, ok
}

// base is the signature base (RFC 9421, section 2.5), made from the request,
// and the components that are in it: true for all of one, false for a part.
func (l label) base(r *Request) (base []byte, covered map[string]bool, refusal Reason) {
	if !l.understood() {
		return nil, nil, BadHeader
	}
	covered, seen := map[string]bool{}, map[string]bool{}
	for _, item := range l.Items {
		name, isText := item.Value.(string)
		id, err := httpsfv.Marshal(item)
		if !isText || err != nil || seen[id] {
			return nil, nil, BadHeader
		}
		value, whole, refusal := component(r, name, item.Params)
		if refusal == "" && !printable(value) {
			refusal = BadHeader
		}
		if refusal != "" {
			return nil, nil, refusal
		}
		seen[id], covered[name] = true, covered[name] || whole
		base = append(base, id+": "+value+"\n"...)
	}
	list, err := httpsfv.Marshal(l.InnerList)
	if err != nil {
		return nil, nil, BadHeader
	}
	return append(base, `"@signature-params": `+list...), covered, ""
}

// understood reports whether the label's own parameters are of the RFC.
func (l label) understood() bool {
	for _, name := range l.Params.Names() {
		v, _ := l.Params.Get(name)
		if fits := parameters[name]; fits == nil || !fits(v) {
			return false
		}
	}
	return len(l.Items) <= maxComponents
}

// printable refuses what would end a line of the base, and what the RFC wants
// to be sent as bytes (;bs).
func printable(value string) bool {
	for i := range len(value) {
		if value[i] != '\t' && (value[i] < ' ' || value[i] >= 0x7f) {
			return false
		}
	}
	return true
}

// signedHeaders are those that are covered as a whole, in canonical form.
func signedHeaders(covered map[string]bool) (names []string) {
	for name, whole := range covered {
		if whole && !strings.HasPrefix(name, "@") {
			names = append(names, textproto.CanonicalMIMEHeaderKey(name))
		}
	}
	slices.Sort(names)
	return names
}
