package quota

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// A Class is a kind of call that Graph counts by itself.
type Class string

// The classes.
const (
	Write Class = "write" // POST, PUT, PATCH, DELETE
	Read  Class = "read"
)

// A Key names one quota: Graph counts per app and tenant. Two of our tenants
// with the same ids share it.
type Key struct {
	TenantID string // Entra's
	ClientID string // of the app registration; empty for a system-assigned identity
	Class    Class
}

// String is the quota's key in the bucket: tenant.client.class, in lower case. An id
// that is no GUID, such as a tenant's domain, is hashed.
func (k Key) String() string { return k.App() + "." + string(k.Class) }

// App names the application in its tenant, whatever the class: tenant.client.
func (k Key) App() string { return token(k.TenantID) + "." + token(k.ClientID) }

// token is the id if it looks like a GUID. A hash never does.
func token(id string) string {
	id = strings.ToLower(id)
	if isGUID(id) {
		return id
	}
	sum := sha256.Sum256([]byte(id))
	return "h" + hex.EncodeToString(sum[:16])
}

func isGUID(id string) bool {
	if len(id) != len("00000000-0000-0000-0000-000000000000") {
		return false
	}
	for i, c := range []byte(id) {
		switch {
		case i == 8 || i == 13 || i == 18 || i == 23:
			if c != '-' {
				return false
			}
		case (c < '0' || c > '9') && (c < 'a' || c > 'f'):
			return false
		}
	}
	return true
}
