package graph_test

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"reflect"
	"testing"
	"time"

	"changerelay/internal/graph"
)

func tokenWith(roles []string) string {
	body, _ := json.Marshal(map[string]any{"roles": roles})
	return "e30." + base64.RawURLEncoding.EncodeToString(body) + ".sig"
}

func TestLacking(t *testing.T) {
	const change, see, all = graph.RoleChange, graph.RoleRead, "DeviceManagementManagedDevices.ReadWrite.All"
	for _, f := range []struct{ has, want []string }{
		{[]string{change, see}, nil}, {[]string{all, change, "Other.All"}, nil},
		{[]string{see}, []string{change}}, {[]string{change}, []string{see}}, {[]string{all}, []string{change}},
		{nil, []string{change, see}}, {[]string{"devicemanagement"}, []string{change, see}},
	} {
		c := newCloud(t, false)
		give := func(w http.ResponseWriter, r *http.Request, n int) {
			reply(200, `{"expires_in":3600,"access_token":"`+tokenWith(f.has)+`"}`)(w, r, n)
		}
		c.entra = give
		for remedy, g := range map[string]*graph.Client{
			"; grant it, with an admin's consent": c.client(t),
			"; assign it to the identity's service principal as an app role of Microsoft Graph, by script": c.client(t, managed(&graph.ManagedIdentity{
				Transport: imds(t, func(w http.ResponseWriter, r *http.Request) { give(w, r, 0) }),
			}, time.Now)),
		} {
			l, err := g.Lacking(t.Context())
			if err != nil || (l == nil) != (f.want == nil) {
				t.Errorf("%v: %+v, %v", f.has, l, err)
				continue
			}
			if l == nil {
				continue
			}
			text := "the app lacks the application permission " + f.want[0]
			if len(f.want) > 1 {
				text += " and " + f.want[1]
			}
			if !reflect.DeepEqual(l.Roles, f.want) || l.Remedy != text+remedy {
				t.Errorf("%v: %+v, want %s", f.has, l, text+remedy)
			}
		}
	}
	c := newCloud(t, false)
	c.entra = reply(401, `{"error":"invalid_client"}`)
	_, err := c.client(t).Lacking(t.Context())
	kind(t, err, graph.Denied)
}
