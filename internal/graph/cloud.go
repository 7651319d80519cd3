package graph

import (
	"errors"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// A Cloud is one of Microsoft's clouds, or a private one: two https roots
// without a trailing slash. Tokens of one cloud are worth nothing in another.
type Cloud struct {
	Graph     string // such as https://graph.microsoft.com
	Authority string // such as https://login.microsoftonline.com
	Audience  string // that federated credentials usually have; empty: not known
}

// Clouds are the national clouds by the name that a configuration uses
// (learn.microsoft.com/graph/deployments, and for the audience
// learn.microsoft.com/entra/workload-id). A custom one is written out.
var Clouds = map[string]Cloud{
	"global": {"https://graph.microsoft.com", "https://login.microsoftonline.com", "api://AzureADTokenExchange"},    // with GCC
	"usgov":  {"https://graph.microsoft.us", "https://login.microsoftonline.us", "api://AzureADTokenExchangeUSGov"}, // L4, GCC High
	"dod":    {"https://dod-graph.microsoft.us", "https://login.microsoftonline.us", "api://AzureADTokenExchangeUSGov"},
	"china":  {"https://microsoftgraph.chinacloudapi.cn", "https://login.partner.microsoftonline.cn", "api://AzureADTokenExchangeChina"},
}

// Scope is what a token is asked for: everything that an administrator granted
// to the application.
func (c Cloud) Scope() string { return c.Graph + "/.default" }

// check takes https only: both roots receive a credential.
func (c Cloud) check() error {
	if err := checkRoot(c.Graph); err != nil {
		return errors.New("Cloud.Graph " + err.Error())
	}
	if err := checkRoot(c.Authority); err != nil {
		return errors.New("Cloud.Authority " + err.Error())
	}
	return nil
}

// checkRoot never quotes the value: it may hold a password.
func checkRoot(root string) error {
	u, err := url.Parse(root)
	switch {
	case err != nil || u.Host == "" || u.Opaque != "":
		return errors.New("is not a URL")
	case u.Scheme != "https":
		return errors.New("is not https")
	case u.User != nil || u.RawQuery != "" || u.Fragment != "" || strings.HasSuffix(root, "?") || strings.HasSuffix(root, "#"):
		return errors.New("has more than a host and a path")
	case strings.HasSuffix(root, "/"):
		return errors.New("ends with a slash")
	}
	return nil
}

var tenantForm = regexp.MustCompile(`^[0-9A-Za-z][0-9A-Za-z.-]{0,252}$`)

// These are words in an authority's path, not tenants: an application's own
// token always belongs to one tenant.
var notTenants = []string{"common", "organizations", "consumers", "adfs", "dstsv2"}

func validTenant(id string) bool {
	return tenantForm.MatchString(id) && !slices.Contains(notTenants, strings.ToLower(id))
}
