package dashboard

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// answerWithin bounds one question to Prometheus.
const answerWithin = 30 * time.Second

// Prometheus is one's address, such as http://127.0.0.1:9090.
type Prometheus string

// A Series is what one set of labels was.
type Series struct {
	Labels map[string]string `json:"metric"`
	Value  Point             `json:"value"`  // of Instant
	Values []Point           `json:"values"` // of Range
}

// A Point is a value (NaN and infinities are among them) at a time, in seconds
// since 1970.
type Point struct{ T, V float64 }

// UnmarshalJSON reads [seconds, "value"].
func (p *Point) UnmarshalJSON(b []byte) error {
	var text string
	if err := json.Unmarshal(b, &[2]any{&p.T, &text}); err != nil {
		return err
	}
	v, err := strconv.ParseFloat(text, 64)
	p.V = v
	return err
}

// Instant evaluates the expression at a time.
func (p Prometheus) Instant(ctx context.Context, expr string, at time.Time) ([]Series, error) {
	var data struct{ Result []Series }
	err := p.ask(ctx, "query", url.Values{"query": {expr}, "time": {stamp(at)}}, &data)
	return data.Result, err
}

// A Span is a time that is looked at in steps.
type Span struct {
	From, To time.Time
	Step     time.Duration
}

// Range evaluates the expression at each step.
func (p Prometheus) Range(ctx context.Context, expr string, s Span) ([]Series, error) {
	var data struct{ Result []Series }
	err := p.ask(ctx, "query_range", url.Values{"query": {expr}, "start": {stamp(s.From)}, "end": {stamp(s.To)},
		"step": {strconv.FormatFloat(s.Step.Seconds(), 'f', -1, 64)}}, &data)
	return data.Result, err
}

// Labels are the values of a label of the series that match.
func (p Prometheus) Labels(ctx context.Context, match, label string) (values []string, err error) {
	err = p.ask(ctx, "label/"+label+"/values", url.Values{"match[]": {match}}, &values)
	return values, err
}

func stamp(t time.Time) string { return strconv.FormatFloat(float64(t.UnixMilli())/1000, 'f', 3, 64) }

// ask gets an answer of the API; what Prometheus says against it is the error.
func (p Prometheus) ask(ctx context.Context, path string, q url.Values, data any) error {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, string(p)+"/api/v1/"+path+"?"+q.Encode(), nil)
	if err != nil {
		return fmt.Errorf("asking Prometheus: %w", err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("asking Prometheus: %w", err)
	}
	defer res.Body.Close()
	var answer struct {
		Error string
		Data  json.RawMessage
	}
	if err := json.NewDecoder(res.Body).Decode(&answer); err != nil {
		return fmt.Errorf("reading Prometheus' answer: %w", err)
	}
	if answer.Error != "" {
		return fmt.Errorf("asking Prometheus: %s", answer.Error)
	}
	return json.Unmarshal(answer.Data, data)
}
