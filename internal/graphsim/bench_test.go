package graphsim_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"changerelay/internal/graphsim"
)

// nobody takes an answer and keeps its status.
type nobody struct {
	h      http.Header
	status int
}

func (n *nobody) Header() http.Header         { return n.h }
func (n *nobody) Write(p []byte) (int, error) { return len(p), nil }
func (n *nobody) WriteHeader(status int)      { n.status = status }

// BenchmarkPost is the simulator's own part of a call, without TLS and sockets: it must never be
// the bottleneck of a worker's benchmark, for which 20 000 POST/s are plenty.
func BenchmarkPost(b *testing.B) {
	for _, items := range []int{1, 30} {
		b.Run(fmt.Sprintf("items=%d", items), func(b *testing.B) { benchmark(b, "POST", "/changeAssignments", items) })
	}
}

func BenchmarkGet(b *testing.B) { benchmark(b, "GET", "?$select=id,deviceActionResults", 1) }

func benchmark(b *testing.B, method, tail string, items int) {
	s, err := graphsim.New(graphsim.Options{})
	if err != nil {
		b.Fatal(err)
	}
	s.Set(graphsim.Knobs{})
	const devices = 1000
	paths := make([]string, devices)
	var ds []graphsim.Device
	for i := range paths {
		id := fmt.Sprintf("33333333-3333-4333-8333-%012d", i)
		ds = append(ds, graphsim.Device{ID: id})
		paths[i] = "https://graph.test/beta/deviceManagement/managedDevices/" + id + tail
	}
	s.AddTenant(graphsim.Tenant{ID: tenantID, ClientID: clientID, ClientSecret: "s3cret"}, ds...)
	token := grab(b, s)
	var ids []string
	for i := range items {
		ids = append(ids, fmt.Sprintf("aaaaaaaa-aaaa-4aaa-8aaa-%012d", i))
	}
	body, h := setOf(ids...), s.Handler()
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		r, err := http.NewRequest(method, paths[i%devices], strings.NewReader(body))
		if err != nil {
			b.Fatal(err)
		}
		r.Header["Authorization"], r.Header["Content-Type"] = []string{"Bearer " + token}, []string{"application/json"}
		w := nobody{h: http.Header{}}
		if h.ServeHTTP(&w, r); w.status >= 300 {
			b.Fatal(w.status)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "calls/s")
}

func grab(b *testing.B, s *graphsim.Sim) string {
	form := "grant_type=client_credentials&client_id=" + clientID + "&client_secret=s3cret&scope=https%3A%2F%2Fgraph.test%2F.default"
	r, err := http.NewRequest("POST", "https://graph.test/"+tenantID+"/oauth2/v2.0/token", strings.NewReader(form))
	if err != nil {
		b.Fatal(err)
	}
	w := httptest.NewRecorder()
	s.Handler().ServeHTTP(w, r)
	_, rest, _ := strings.Cut(w.Body.String(), `"access_token":"`)
	token, _, ok := strings.Cut(rest, `"`)
	if !ok {
		b.Fatal(w.Body)
	}
	return token
}
