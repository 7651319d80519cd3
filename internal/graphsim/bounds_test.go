package graphsim

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// What strangers send is remembered in bounded size.
func TestBounds(t *testing.T) {
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	s, err := New(Options{Now: func() time.Time { return now }, Journal: 10})
	if err != nil {
		t.Fatal(err)
	}
	for i := range maxGrants + 100 {
		s.remember(fmt.Sprint(i), grant{until: now.Add(time.Hour)}, now)
	}
	if len(s.grants) != maxGrants || len(s.minted) != maxGrants {
		t.Errorf("%d tokens, %d names", len(s.grants), len(s.minted))
	}
	s.remember("last", grant{until: now.Add(3 * time.Hour)}, now.Add(2*time.Hour))
	if len(s.grants) != 1 || len(s.minted) != 1 {
		t.Errorf("after they are over: %d tokens", len(s.grants))
	}
	var items []string
	for i := range 1000 {
		items = append(items, fmt.Sprintf(`{"itemId":"%d","itemType":"application"}`, i))
	}
	for range 30 {
		r := httptest.NewRequest(http.MethodPost, "/beta/deviceManagement/managedDevices/"+strings.Repeat("d", 5000)+"/changeAssignments",
			strings.NewReader(`{"deviceAssignmentItems":[`+strings.Join(items, ",")+`]}`))
		r.Header.Set("client-request-id", strings.Repeat("c", 5000))
		s.Handler().ServeHTTP(httptest.NewRecorder(), r)
	}
	if n := len(s.journal); n > 20 {
		t.Errorf("the journal has %d calls", n)
	}
	for _, c := range s.Journal() {
		if len(c.Items) != maxKeptItems || len(c.Path) > maxKeptText || len(c.Device) > maxKeptText || len(c.ClientRequestID) > maxKeptText {
			t.Fatalf("a call keeps %d items, %d bytes of path", len(c.Items), len(c.Path))
		}
	}
	d := &device{past: []version{{}}}
	for i := range 3 * maxVersions {
		d.put(set{}, now.Add(time.Duration(i)), time.Hour)
	}
	if len(d.past) > maxVersions {
		t.Errorf("a device keeps %d sets", len(d.past))
	}
}
