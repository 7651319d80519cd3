package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"

	"changerelay/internal/stream"
)

// checkMonitor asks a server's monitoring how it syncs, which no client can see.
func checkMonitor(ctx context.Context, url string) stream.Finding {
	b, err := fetch(ctx, strings.TrimRight(url, "/")+"/jsz")
	if err != nil {
		return stream.Finding{Level: stream.Bad, What: "monitor", Detail: err.Error(), Remedy: "give the address of a server's monitoring, such as http://nats-0:8222"}
	}
	return stream.SyncFinding(url, b)
}

func fetch(ctx context.Context, url string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s answers %s", url, resp.Status)
	}
	return io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
}
