package deploy

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/nats-io/nats-server/v2/conf"
	"github.com/nats-io/nats-server/v2/server"
)

// The values for NATS' chart give the rights of docs/operations.md, which are tried in
// package standalone with the relay itself: the same, read by the same server.
func TestNATSRights(t *testing.T) {
	var values object
	if err := yaml.Unmarshal(read(t, "nats/values.yaml"), &values); err != nil {
		t.Fatal(err)
	}
	if got := values.text("config.jetstream.merge.sync_interval"); got != `"always"` {
		t.Errorf("sync_interval is %s", got)
	}
	if got := values.text("config.cluster.replicas"); got != "3" {
		t.Errorf("there are %s replicas", got)
	}
	if got := values.text("config.nats.tls.merge.verify_and_map"); got != "true" {
		t.Errorf("verify_and_map is %s", got)
	}
	manual := regexp.MustCompile("(?s)```conf\n(.*?)```").FindSubmatch(read(t, "../docs/operations.md"))
	if manual == nil {
		t.Fatal("docs/operations.md has no configuration")
	}
	_, accounts, _ := strings.Cut(string(manual[1]), "\naccounts {") // without tls: its files are not here
	want := rights(t, "accounts {"+accounts)
	got := rights(t, `{"accounts": `+values.text("config.merge.accounts")+`}`) // the chart writes JSON
	if len(want) < 20 {
		t.Fatalf("the manual has %d rights only", len(want))
	}
	for _, r := range want {
		if !slices.Contains(got, r) {
			t.Errorf("nats/values.yaml lacks: %s", r)
		}
	}
	for _, r := range got {
		if !slices.Contains(want, r) {
			t.Errorf("nats/values.yaml has, and the manual does not: %s", r)
		}
	}
}

// rights has the server read a configuration, and lists what is in it: a line for each
// word, wherever it stands in its list.
func rights(t *testing.T, text string) []string {
	t.Helper()
	if err := new(server.Options).ProcessConfigString(text); err != nil {
		t.Fatalf("reading the broker's configuration: %v\n%s", err, text)
	}
	all, err := conf.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return flatten(all, "")
}

func flatten(v any, at string) (lines []string) {
	switch x := v.(type) {
	case map[string]any:
		if user, ok := x["user"].(string); ok {
			at += " " + user
		}
		for key, inner := range x {
			lines = append(lines, flatten(inner, at+" "+key)...)
		}
	case []any:
		for _, inner := range x {
			if b, err := json.Marshal(inner); err == nil && strings.HasSuffix(at, "ports") {
				lines = append(lines, at+" "+string(b)) // what is exported to whom
				continue
			}
			lines = append(lines, flatten(inner, at)...)
		}
	default:
		lines = append(lines, fmt.Sprintf("%s %v", at, x))
	}
	return lines
}
