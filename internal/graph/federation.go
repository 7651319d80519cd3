package graph

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/confidential"
)

// readFederated reads the token again for each request: Kubernetes replaces it
// at four fifths of its life. A new token needs no new MSAL client.
func (e *entra) readFederated() (proof, error) {
	text, err := e.conf.Credential.FederatedToken()
	if err != nil {
		return proof{}, err
	}
	text = strings.TrimSpace(text)
	if !printable(text) || strings.Count(text, ".") != 2 {
		return proof{}, errors.New("it is not a JWT; is it the projected token's file?")
	}
	e.assertion.Store(&text)
	return proof{hide: text, open: func() (requester, error) {
		return e.open(confidential.NewCredFromAssertionCallback(func(context.Context, confidential.AssertionRequestOptions) (string, error) {
			return *e.assertion.Load(), nil
		}))
	}}, nil
}

// audienceHint says what is most often wrong with a federated token that Entra
// does not take. The audience is not a condition: a credential in Entra may
// name another.
func (e *entra) audienceHint() error {
	text, want := e.assertion.Load(), e.conf.Cloud.Audience
	if text == nil || want == "" || slices.Contains(audiences(*text), want) {
		return nil
	}
	return errors.New("the federated token is not for the audience " + want + ", which this cloud's federated credentials usually have; compare the two")
}

// audiences are those that a JWT names, one or a list.
func audiences(token string) []string {
	var claims struct {
		Audience any `json:"aud"`
	}
	payload, ok := payload(token)
	if !ok || json.Unmarshal(payload, &claims) != nil {
		return nil
	}
	list, ok := claims.Audience.([]any)
	if !ok {
		list = []any{claims.Audience}
	}
	var all []string
	for _, a := range list {
		if s, ok := a.(string); ok {
			all = append(all, s)
		}
	}
	return all
}
