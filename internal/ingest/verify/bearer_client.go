package verify

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
)

// fetch gets the key set, in bounds. Its errors stay here: what a request is
// told is that the keys are away.
func (f *fetcher) fetch() ([]byte, error) {
	ctx, cancel := context.WithTimeout(f.ctx, fetchTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, f.url, nil)
	if err != nil {
		return nil, err
	}
	resp, err := f.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(resp.Body, maxKeySet+1))
	switch {
	case err != nil:
		return nil, err
	case resp.StatusCode != http.StatusOK:
		return nil, fmt.Errorf("the issuer answered %d", resp.StatusCode)
	case len(raw) > maxKeySet:
		return nil, fmt.Errorf("the key set has more than %d bytes", maxKeySet)
	}
	return raw, nil
}

// bounded is a client that stays on the host that was configured.
func bounded(client *http.Client) *http.Client {
	c := http.Client{Transport: &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DisableKeepAlives:      true, // the next fetch is in an hour
		MaxResponseHeaderBytes: maxHead,
	}}
	if client != nil {
		c = *client
	}
	c.CheckRedirect = func(req *http.Request, via []*http.Request) error {
		if len(via) > maxRedirects || req.URL.Scheme != "https" || req.URL.Host != via[0].URL.Host {
			return errors.New("the address of the keys leads elsewhere")
		}
		return nil
	}
	return &c
}
