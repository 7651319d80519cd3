package ingest

import (
	"bytes"
	"context"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"

	"changerelay/internal/events"
)

// described is the document, read once.
var described = sync.OnceValues(func() (*openapi3.T, error) { return openapi3.NewLoader().LoadFromData(openAPI) })

func TestDocumentIsValid(t *testing.T) {
	d, err := described()
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Validate(context.Background()); err != nil {
		t.Fatal(err)
	}
}

// Each operation has exactly the answers that its route can give. Methods and
// paths that no route has are answered 405 and 404.
func TestDocumentHasEveryRoute(t *testing.T) {
	errors := "400 401 403 408 409 413 415 422 429 500 503"
	want := map[string]string{
		"POST /v1/changes":           "200 202 " + errors,
		"POST /v1/hooks/{source}":    "200 202 " + errors,
		"OPTIONS /v1/hooks/{source}": "200 405 429 500",
		"GET /v1/changes/{id}":       "200 400 401 403 404 429 500 503",
		"GET /v1/changes":            "200 400 401 403 429 500 503",
		"GET /v1/openapi.json":       "200 429 500",
	}
	d, err := described()
	if err != nil {
		t.Fatal(err)
	}
	codes := map[string]bool{}
	got := map[string]string{}
	for path, item := range d.Paths.Map() {
		for method, op := range item.Operations() {
			list := slices.Sorted(maps.Keys(op.Responses.Map()))
			got[method+" "+path] = strings.Join(list, " ")
			for _, c := range list {
				codes[c] = true
			}
		}
	}
	if !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	for _, r := range table {
		if !codes[strconv.Itoa(r.code)] {
			t.Errorf("no operation has %d %s", r.code, r.word)
		}
	}
	routes := map[string]bool{}
	for _, r := range newWorld(t).echo.Routes() {
		path := strings.NewReplacer(":id", "{id}", ":source", "{source}").Replace(r.Path)
		routes[r.Method+" "+path] = true
		if _, ok := want[r.Method+" "+path]; !ok {
			t.Errorf("%s %s is not in the document", r.Method, r.Path)
		}
	}
	if len(routes) != len(want) {
		t.Errorf("the document has %d operations, Echo %d", len(want), len(routes))
	}
}

// The words of problems and receipts are those of the code.
func TestDocumentHasEveryWord(t *testing.T) {
	d, err := described()
	if err != nil {
		t.Fatal(err)
	}
	schemas := d.Components.Schemas
	listed := schemas["Problem"].Value.Properties["error"].Value.Enum
	for _, r := range table {
		if r.word != "ignored" && r.word != "unauthorized" && !slices.Contains(listed, any(r.word)) {
			t.Errorf("the document has no error %q", r.word)
		}
	}
	statuses := schemas["Receipt"].Value.Properties["status"].Value.Enum
	for _, o := range append(words(events.Outcomes), queued) {
		if !slices.Contains(statuses, any(o)) {
			t.Errorf("the document has no status %q", o)
		}
	}
}

func TestDocumentIsServed(t *testing.T) {
	rec := newWorld(t).do(httpRequest(http.MethodGet, "/v1/openapi.json"))
	if rec.Code != 200 || !bytes.Equal(rec.Body.Bytes(), openAPI) || rec.Header().Get("Content-Type") != "application/json" {
		t.Errorf("got %d %s", rec.Code, rec.Header())
	}
}

// conforms checks an answer against the document: every test's answers are.
func conforms(t testing.TB, r *http.Request, rec *httptest.ResponseRecorder) {
	t.Helper()
	d, err := described()
	if err != nil {
		t.Fatal(err)
	}
	path, op := operation(d, r)
	if op == nil {
		if rec.Code != 404 && rec.Code != 405 && rec.Code != 429 {
			t.Errorf("%s %s is not documented, and is answered %d", r.Method, r.URL.Path, rec.Code)
		}
		return
	}
	err = openapi3filter.ValidateResponse(context.Background(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: &openapi3filter.RequestValidationInput{Request: r,
			Route: &routers.Route{Spec: d, Path: path, Method: r.Method, Operation: op}},
		Status: rec.Code, Header: rec.Header(), Body: io.NopCloser(bytes.NewReader(rec.Body.Bytes())),
		Options: &openapi3filter.Options{IncludeResponseStatus: true, MultiError: true},
	})
	if err != nil {
		t.Errorf("%s %s: the answer %d %s is not as documented: %v", r.Method, path, rec.Code, rec.Body, err)
	}
}

// operation finds what the document says of a request's route.
func operation(d *openapi3.T, r *http.Request) (string, *openapi3.Operation) {
	steps := strings.Split(r.URL.EscapedPath(), "/")
	for _, path := range d.Paths.InMatchingOrder() {
		pattern := strings.Split(path, "/")
		same := func(a, b string) bool { return a == b || strings.HasPrefix(b, "{") && a != "" }
		if slices.EqualFunc(steps, pattern, same) {
			return path, d.Paths.Value(path).GetOperation(r.Method)
		}
	}
	return "", nil
}
