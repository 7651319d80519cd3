package graph

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"
)

// The application permissions of the two calls, as the roles claim has them.
// Microsoft's page about changeAssignments has named the read permission for
// the POST too: Graph answers 403 to that and asks for the first of these.
const (
	RoleChange = "DeviceManagementManagedDevices.PrivilegedOperations.All"
	RoleRead   = "DeviceManagementManagedDevices.Read.All"
)

// readers are the permissions that let the device be read.
var readers = []string{RoleRead, "DeviceManagementManagedDevices.ReadWrite.All"}

// Lacking is what the token does not permit.
type Lacking struct {
	Roles  []string // at least one
	Remedy string   // whole words for a person: what lacks, and what to do
}

// Lacking says which permissions the calls need and the current token does not
// have; nil when it has them all. A token keeps the permissions of the moment
// it was made, so a new one shows only in the next token.
func (c *Client) Lacking(ctx context.Context) (*Lacking, error) {
	has, err := c.Roles(ctx)
	if err != nil {
		return nil, err
	}
	roles := lacking(has)
	if len(roles) == 0 {
		return nil, nil
	}
	return &Lacking{roles, remedy(roles, c.entra.conf.Credential.ManagedIdentity != nil)}, nil
}

func lacking(has []string) (roles []string) {
	if !slices.Contains(has, RoleChange) {
		roles = append(roles, RoleChange)
	}
	if !slices.ContainsFunc(has, func(r string) bool { return slices.Contains(readers, r) }) {
		roles = append(roles, RoleRead)
	}
	return roles
}

func remedy(roles []string, managed bool) string {
	lacks := "the app lacks the application permission " + strings.Join(roles, " and ")
	if managed { // the portal has no page for that
		return lacks + "; assign it to the identity's service principal as an app role of Microsoft Graph, by script"
	}
	return lacks + "; grant it, with an admin's consent"
}

// Roles returns the permissions that the current token claims. The claim is
// read for a start-up check, not verified: only Graph's word counts.
func (c *Client) Roles(ctx context.Context) ([]string, error) {
	token, err := c.tokens.get(ctx, "", "")
	if err != nil {
		return nil, err
	}
	var claims struct {
		Roles []string `json:"roles"`
	}
	// The parsers' errors may quote the token, so they end here.
	body, ok := payload(token)
	if !ok {
		return nil, &Error{Op: opRoles, Kind: Unavailable, Message: "token is not a JWT"}
	}
	if json.Unmarshal(body, &claims) != nil {
		return nil, &Error{Op: opRoles, Kind: Unavailable, Message: "token has no readable claims"}
	}
	return claims.Roles, nil
}

// payload is the middle part of a JWT, unverified.
func payload(token string) ([]byte, bool) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return nil, false
	}
	b, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(parts[1], "="))
	return b, err == nil
}
