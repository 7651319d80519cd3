package main

import (
	"strings"
	"testing"
	"time"

	"changerelay/internal/stream"
)

func TestDoctorOnCertificates(t *testing.T) {
	now := time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)
	const day = 24 * time.Hour
	for _, c := range []struct {
		end  time.Time
		want stream.Level
	}{
		{time.Time{}, stream.OK}, {now.Add(31 * day), stream.OK}, {now.Add(29 * day), stream.Note}, {now.Add(-day), stream.Note},
	} {
		f := credentialFinding("tenant acme", c.end, now)
		if f.Level != c.want || (c.want == stream.Note) != strings.Contains(f.Detail, "expires "+stamp(c.end, now)) {
			t.Errorf("a certificate that ends %v: %+v", c.end, f)
		}
	}
}
