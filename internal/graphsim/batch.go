package graphsim

import (
	"bytes"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
)

// batchPart is one request of a $batch.
type batchPart struct {
	ID        string            `json:"id"`
	Method    string            `json:"method"`
	URL       string            `json:"url"`
	Headers   map[string]string `json:"headers"`
	Body      json.RawMessage   `json:"body"`
	DependsOn []string          `json:"dependsOn"`
}

// planBatch reads a $batch and puts its parts in an order in which each follows what it depends on.
func planBatch(body []byte) ([]batchPart, *refusal) {
	var in struct {
		Requests []batchPart `json:"requests"`
	}
	if len(body) > maxBody || unmarshal(body, &in) != nil || len(in.Requests) == 0 {
		return nil, badSet("Invalid batch payload format.")
	}
	if len(in.Requests) > maxBatch {
		return nil, badSet("Number of batch request steps exceeds the maximum value of %d.", maxBatch)
	}
	seen := map[string]bool{}
	for _, p := range in.Requests {
		if bad := p.wrong(seen); bad != nil {
			return nil, bad
		}
		seen[p.ID] = true
	}
	return inOrder(in.Requests)
}

func (p *batchPart) wrong(seen map[string]bool) *refusal {
	switch {
	case p.ID == "" || p.Method == "" || !strings.HasPrefix(p.URL, "/"):
		return badSet("Each batch request needs an id, a method and a relative url.")
	case seen[p.ID]:
		return badSet("Request Id values in a batch must be unique.")
	case strings.Contains(p.URL, "$batch"):
		return badSet("A batch request cannot contain another one.")
	case p.hasBody() && p.header("Content-Type") == "":
		return badSet("A batch request with a body needs the header Content-Type.")
	}
	return nil
}

func (p *batchPart) hasBody() bool { return len(p.Body) > 0 && string(p.Body) != "null" }

func (p *batchPart) header(name string) string {
	for k, v := range p.Headers {
		if same(k, name) {
			return v
		}
	}
	return ""
}

// inOrder keeps the given order where nothing speaks against it. A circle, or a dependency on
// nobody, spoils the batch.
func inOrder(parts []batchPart) ([]batchPart, *refusal) {
	var out []batchPart
	done := map[string]bool{}
	for len(out) < len(parts) {
		before := len(out)
		for _, p := range parts {
			if !done[p.ID] && !slices.ContainsFunc(p.DependsOn, func(id string) bool { return !done[id] }) {
				out, done[p.ID] = append(out, p), true
			}
		}
		if len(out) == before {
			return nil, badSet("The dependsOn values of a batch must name other requests, without a circle.")
		}
	}
	return out, nil
}

// batch answers /beta/$batch. Each part is throttled, judged and journaled by itself, one after the
// other; the answers come in any order. A part whose connection a fault drops takes all with it.
func (s *Sim) batch(x *exchange) (reply, *refusal) {
	if bad := x.mediaType(); bad != nil {
		return reply{}, bad
	}
	parts, bad := planBatch(x.body)
	if bad != nil {
		return reply{}, bad
	}
	failed := map[string]bool{}
	answers := []map[string]any{}
	for _, p := range parts {
		a := s.runPart(x, p, slices.ContainsFunc(p.DependsOn, func(id string) bool { return failed[id] }))
		if a.drop || a.cut {
			return reply{drop: true}, nil
		}
		failed[p.ID] = a.status >= 400
		answers = append(answers, a.part(p.ID))
	}
	s.dice.shuffle(len(answers), func(i, j int) { answers[i], answers[j] = answers[j], answers[i] })
	return jsonReply(http.StatusOK, map[string]any{"responses": answers}), nil
}

func (s *Sim) runPart(x *exchange, p batchPart, orphan bool) reply {
	if orphan {
		return x.refuse(*refused(http.StatusFailedDependency, "FailedDependency", "A request that this one depends on has failed."))
	}
	var body []byte
	if p.hasBody() {
		body = p.Body
	}
	r, err := x.part(x.r.Context(), p.Method, p.URL, bytes.NewReader(body))
	if err != nil {
		return x.refuse(*badSet("The request line of a batch request is not valid."))
	}
	for k, v := range p.Headers {
		r.Header.Set(k, v)
	}
	part := s.newExchange(r, body)
	part.call.Batch = x.call.N
	a := s.run(part)
	if a.header == nil {
		a.header = http.Header{}
	}
	a.header.Set("request-id", part.call.RequestID)
	a.header.Set("client-request-id", part.call.ClientRequestID)
	return a
}

// part is a reply inside of a $batch's.
func (a reply) part(id string) map[string]any {
	headers := map[string]string{}
	for k := range a.header {
		headers[k] = a.header.Get(k)
	}
	out := map[string]any{"id": id, "status": a.status, "headers": headers}
	switch {
	case len(a.body) == 0:
		out["body"] = nil
	case json.Valid(a.body):
		out["body"] = json.RawMessage(a.body)
	default:
		out["body"] = a.body // base64
	}
	return out
}
