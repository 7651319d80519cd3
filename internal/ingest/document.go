package ingest

import _ "embed"

// openAPI describes every route, in OpenAPI 3; tests hold it against the
// handlers' answers.
//
//go:embed openapi.json
var openAPI []byte

// getDocument answers with the API's description.
func (s *Server) getDocument(*exchange) (answer, error) {
	return found(document(openAPI)), nil
}
