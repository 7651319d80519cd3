package verify

import "fmt"

// publishedSecret is in Zendesk's documentation: it signs the test requests of
// webhooks that are not saved yet, and anybody's requests too.
// https://developer.zendesk.com/documentation/webhooks/verifying/
const publishedSecret = "dGhpc19zZWNyZXRfaXNfZm9yX3Rlc3Rpbmdfb25seQ==" // #nosec G101 -- everybody may know it: it is refused

// unpublished compiles a signature whose secrets not everybody knows, in
// whatever form they are read.
func unpublished(c Signature) (check, error) {
	v, err := newSignature(c.Scheme, c.Keys)
	if err != nil {
		return nil, err
	}
	decoded, _ := strictBase64(publishedSecret)
	for i, k := range v.keys {
		if s := string(k.bytes); s == publishedSecret || s == string(decoded) {
			return nil, fmt.Errorf("keys[%d].secret: is the one that Zendesk publishes for tests; "+
				"save the webhook, and use the secret that Zendesk then shows", i)
		}
	}
	return v, nil
}
