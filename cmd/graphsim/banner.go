package main

import (
	"fmt"
	"io"
	"net/netip"
	"strings"

	"changerelay/cmd/internal/boot"
	"changerelay/internal/graphsim"
	"changerelay/internal/graphsim/control"
)

// A banner says where everything is and what to paste.
type banner struct {
	sim       *graphsim.Sim
	sc        *control.Scenario
	ca, admin string
}

func (b banner) print(out io.Writer) {
	url := b.sim.URL()
	fmt.Fprintf(out, "graphsim %s\n  graph  %s/beta/deviceManagement/managedDevices\n  token  %s/<tenant>/oauth2/v2.0/token\n  trust  %s\n",
		boot.Version(), url, url, b.ca)
	if b.admin != "" {
		fmt.Fprintf(out, "  admin  http://%s/ (no authentication%s)\n", b.admin, exposed(b.admin))
	}
	b.paste(out)
}

// exposed warns when not only this machine can call.
func exposed(addr string) string {
	if a, err := netip.ParseAddrPort(addr); err == nil && a.Addr().IsLoopback() {
		return ": keep it on loopback"
	}
	return "; WARNING: it is not on loopback, whoever reaches it may use it"
}

// paste is a first call, for the first app that has a secret and the first device of its tenant.
func (b banner) paste(out io.Writer) {
	for _, t := range b.sc.Tenants {
		for _, a := range t.Apps {
			if a.ClientSecret == "" || len(t.Devices) == 0 {
				continue
			}
			u := b.sim.URL()
			fmt.Fprintf(out, `
Paste this in another terminal of this folder:

  TOKEN=$(curl -s --cacert %s %s -d grant_type=client_credentials --data-urlencode %s --data-urlencode %s -d scope=%s/.default | sed 's/.*"access_token":"\([^"]*\)".*/\1/')
  curl -i --cacert %s -H "Authorization: Bearer $TOKEN" -H 'Content-Type: application/json' %s -d '{"deviceAssignmentItems":[{"itemId":"a7d7a9a2-3a57-4e7c-8f3b-5b8f2f0c9e21","itemType":"application"}]}'
  curl -s --cacert %s -H "Authorization: Bearer $TOKEN" %s

`, quote(b.ca), quote(u+"/"+t.ID+"/oauth2/v2.0/token"), quote("client_id="+a.ClientID), quote("client_secret="+a.ClientSecret), u,
				quote(b.ca), quote(u+"/beta/deviceManagement/managedDevices/"+t.Devices[0].ID+"/changeAssignments"),
				quote(b.ca), quote(u+"/beta/deviceManagement/managedDevices/"+t.Devices[0].ID+"?$select=id,deviceActionResults"))
			return
		}
	}
}

// quote makes text one word of a shell.
func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }
