package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
)

// holdFor is how long the simulator keeps an answer back: longer than it takes to kill a
// worker.
const holdFor = "30s"

// holdBack arms a fault: the next call for the device hangs, at point "before" its effect
// or "after" it.
func holdBack(ctx context.Context, device int, point string) error {
	_, err := admin(ctx, http.MethodPost, "/faults", fmt.Sprintf(`{"op":"post","device":%q,"point":%q,"delay":%q}`, deviceID(device), point, holdFor))
	return err
}

// admin calls the simulator's admin API, which wants to be called by its address.
func admin(ctx context.Context, method, path, body string) (string, error) {
	ips, err := net.DefaultResolver.LookupHost(ctx, os.Getenv("GRAPH"))
	if err != nil {
		return "", fmt.Errorf("looking for the simulator: %w", err)
	}
	q, err := http.NewRequestWithContext(ctx, method, "http://"+net.JoinHostPort(ips[0], "8444")+path, strings.NewReader(body))
	if err != nil {
		return "", err
	}
	a, err := (&relay{client: http.DefaultClient}).do(q)
	if err != nil {
		return "", err
	}
	if a.code != http.StatusOK {
		return "", fmt.Errorf("the simulator answers %d %s", a.code, a.text)
	}
	return a.text, nil
}
