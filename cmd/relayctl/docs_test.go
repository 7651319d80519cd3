package main

import (
	"os"
	"reflect"
	"strings"
	"testing"

	"changerelay/internal/stream"
)

// The manual has each field of the JSON that scripts read.
func TestDocsHaveTheFields(t *testing.T) {
	manual, err := os.ReadFile("../../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	for command, objects := range map[string][]any{
		"doctor": {stream.Finding{}}, "device": {deviceObject{}, ledgerObject{}, nextStep{}, graphObject{}}, "tenants": {tenantState{}, quotaState{}, pauseState{}},
		"source list": {sourceObject{}, keyObject{}}, "source check": {checkObject{}},
	} {
		_, row, ok := strings.Cut(string(manual), "\n| `"+command+"` | ")
		row, _, _ = strings.Cut(row, "\n")
		if !ok {
			t.Errorf("there is no row on %s", command)
		}
		for _, o := range objects {
			for _, f := range reflect.VisibleFields(reflect.TypeOf(o)) {
				if name, _, _ := strings.Cut(f.Tag.Get("json"), ","); name != "" && !strings.Contains(row, "`"+name+"`") {
					t.Errorf("%s: field %s is not in the manual", command, name)
				}
			}
		}
	}
}
