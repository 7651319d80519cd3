package source_test

// The cases and the fuzz targets decode for kind mapped too. This file is of a
// package of its own, because the language imports what is tested here.
import _ "changerelay/internal/ingest/expression"
