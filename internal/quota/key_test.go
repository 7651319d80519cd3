package quota

import (
	"regexp"
	"strings"
	"testing"
)

const tenantID, clientID = "6e9f1b0c-7a53-4c1e-9f0e-0f4c2d1b8a77", "1c2d3e4f-0a1b-4c2d-8e3f-4a5b6c7d8e9f"

func TestLaw14OneCellAnAppAndTenant(t *testing.T) {
	seen := map[string]Key{}
	valid := regexp.MustCompile(`^[a-z0-9-]+\.[a-z0-9-]+\.(write|read)$`)
	for _, k := range []Key{
		{tenantID, clientID, Write},
		{tenantID, clientID, Read},
		{clientID, tenantID, Write},
		{tenantID, "", Write},
		{"", tenantID, Write},
		{"contoso.onmicrosoft.com", clientID, Write},
		{"contoso.example", clientID, Write},
		{"a b>*.\x00é", clientID, Write},
		{tenantID + ".", clientID, Write},
		{strings.Replace(tenantID, "-", "0", 1), clientID, Write},
		{strings.Replace(tenantID, "6", "g", 1), clientID, Write},
	} {
		s := k.String()
		if !valid.MatchString(s) {
			t.Errorf("%+v is %s", k, s)
		}
		if other, ok := seen[s]; ok {
			t.Errorf("%+v and %+v are both %s", k, other, s)
		}
		seen[s] = k
		upper := Key{strings.ToUpper(k.TenantID), strings.ToUpper(k.ClientID), k.Class}
		if k.TenantID != "a b>*.\x00é" && upper.String() != s {
			t.Errorf("%+v in capitals is another quota", k)
		}
	}
	if s := (Key{tenantID, clientID, Write}).String(); s != tenantID+"."+clientID+".write" {
		t.Errorf("GUIDs are not readable: %s", s)
	}
}
