package promtest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// A Sample is one series of an answer, with its value now. A native histogram
// has no such value; ask for a quantile or a count of it.
type Sample struct {
	Labels map[string]string
	Value  float64
}

// An Alert is pending or firing.
type Alert struct {
	Labels      map[string]string // with alertname
	Annotations map[string]string
	State       string // "pending" or "firing"
	ActiveAt    time.Time
}

// Query evaluates the expression now. A scalar is a sample without labels. It
// fails the test if Prometheus does not take the expression.
func (s *Server) Query(expr string) []Sample {
	s.t.Helper()
	var data struct {
		ResultType string
		Result     json.RawMessage
	}
	s.get("query?query="+url.QueryEscape(expr), &data)
	if data.ResultType == "scalar" {
		var p point
		s.decode(data.Result, &p)
		return []Sample{{Value: float64(p)}}
	}
	var series []struct {
		Metric map[string]string
		Value  point
	}
	s.decode(data.Result, &series)
	samples := make([]Sample, len(series))
	for i, one := range series {
		samples[i] = Sample{one.Metric, float64(one.Value)}
	}
	return samples
}

// Alerts are those that are pending or firing.
func (s *Server) Alerts() []Alert {
	s.t.Helper()
	var data struct{ Alerts []Alert }
	s.get("alerts", &data)
	return data.Alerts
}

// Firing are the alerts of that name that fire.
func (s *Server) Firing(name string) (firing []Alert) {
	s.t.Helper()
	for _, a := range s.Alerts() {
		if a.Labels["alertname"] == name && a.State == "firing" {
			firing = append(firing, a)
		}
	}
	return firing
}

// point is [time, "value"].
type point float64

func (p *point) UnmarshalJSON(data []byte) error {
	var pair [2]any
	if err := json.Unmarshal(data, &pair); err != nil {
		return err
	}
	text, ok := pair[1].(string)
	if !ok {
		return fmt.Errorf("reading a value: %s is none", data)
	}
	v, err := strconv.ParseFloat(text, 64)
	*p = point(v)
	return err
}

// get asks the API and decodes what it answers into data.
func (s *Server) get(path string, data any) {
	s.t.Helper()
	res, err := http.Get(s.url + "/api/v1/" + path)
	if err != nil {
		s.t.Fatalf("promtest: asking Prometheus: %v\n%s", err, s.log.String())
	}
	defer res.Body.Close()
	var answer struct {
		Status, Error string
		Data          json.RawMessage
	}
	if err := json.NewDecoder(res.Body).Decode(&answer); err != nil {
		s.t.Fatalf("promtest: reading Prometheus' answer to %s: %v", path, err)
	}
	if answer.Status != "success" {
		s.t.Fatalf("promtest: Prometheus says to %s: %s", path, answer.Error)
	}
	s.decode(answer.Data, data)
}

func (s *Server) decode(raw json.RawMessage, into any) {
	s.t.Helper()
	if err := json.Unmarshal(raw, into); err != nil {
		s.t.Fatalf("promtest: reading Prometheus' answer %s: %v", raw, err)
	}
}
