package graph

import (
	"context"
	"errors"
	"io"
	"net/http"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/cache"
)

// tokenHTTP is what MSAL calls with: it bounds replies, which MSAL does not,
// and keeps a discovery document from leading the credential off https.
type tokenHTTP struct{ *http.Client }

func (h tokenHTTP) Do(req *http.Request) (*http.Response, error) {
	if req.URL.Scheme != "https" {
		return nil, errors.New("refusing to use other than https")
	}
	return bounded(h.Client.Do(req)) // #nosec G704 -- the configured authority, or what it names; https only
}

// bounded cuts a reply that MSAL would read to its end, however long.
func bounded(resp *http.Response, err error) (*http.Response, error) {
	if err == nil {
		resp.Body = limitedBody{io.LimitReader(resp.Body, maxReply), resp.Body}
	}
	return resp, err
}

type limitedBody struct {
	io.Reader
	io.Closer
}

// noCache empties MSAL's cache whenever MSAL looks into it. Ours knows what
// MSAL's cannot: that Graph turned a token down, and what time it is in a test.
type noCache struct{}

func (noCache) Replace(_ context.Context, c cache.Unmarshaler, _ cache.ReplaceHints) error {
	return c.Unmarshal([]byte("{}"))
}

func (noCache) Export(context.Context, cache.Marshaler, cache.ExportHints) error { return nil }
