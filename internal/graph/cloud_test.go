package graph_test

import (
	"testing"

	"changerelay/internal/graph"
)

// The table once more, as Microsoft's pages have it.
func TestClouds(t *testing.T) {
	want := map[string][4]string{
		"global": {"https://graph.microsoft.com", "https://login.microsoftonline.com", "https://graph.microsoft.com/.default", "api://AzureADTokenExchange"},
		"usgov":  {"https://graph.microsoft.us", "https://login.microsoftonline.us", "https://graph.microsoft.us/.default", "api://AzureADTokenExchangeUSGov"},
		"dod":    {"https://dod-graph.microsoft.us", "https://login.microsoftonline.us", "https://dod-graph.microsoft.us/.default", "api://AzureADTokenExchangeUSGov"},
		"china":  {"https://microsoftgraph.chinacloudapi.cn", "https://login.partner.microsoftonline.cn", "https://microsoftgraph.chinacloudapi.cn/.default", "api://AzureADTokenExchangeChina"},
	}
	if len(graph.Clouds) != len(want) {
		t.Errorf("%d clouds, want %d", len(graph.Clouds), len(want))
	}
	for name, c := range graph.Clouds {
		if got := [4]string{c.Graph, c.Authority, c.Scope(), c.Audience}; got != want[name] {
			t.Errorf("%s: %v, want %v", name, got, want[name])
		}
	}
}

// A simulator's token request stays with it, whatever the environment says.
func TestCustomCloudIsNotAskedElsewhere(t *testing.T) {
	t.Setenv("MSAL_FORCE_REGION", "westeurope")
	c := newCloud(t, false)
	if err := post(t, c.client(t)); err != nil {
		t.Fatal(err)
	}
	c.expect(t, 1, 1)
}
