package graphsim

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// Challenge says how an app's tokens are revoked by continuous access evaluation.
type Challenge struct {
	Everyone  bool // also tokens whose client did not declare cp1; Entra spares those
	Forbidden bool // 403 insufficient_claims in place of 401
}

// challenge is what newer tokens must answer: an nbf, as Entra's own challenges have. Empty = none.
type challenge struct {
	nbf string
	Challenge
}

// Revoke challenges every token that the app has: 401 with claims, until it comes with one that was
// minted with these claims. It reports whether the app exists.
func (s *Sim) Revoke(tenantID, clientID string, c Challenge) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.look()
	a := s.registered(tenantID, clientID)
	if a == nil {
		return false
	}
	s.revoked++ // twice in a second are two challenges
	a.challenge = challenge{strconv.FormatInt(now.Unix()+int64(s.revoked), 10), c}
	return true
}

func (s *Sim) registered(tenantID, clientID string) *app {
	if t := s.tenants[strings.ToLower(tenantID)]; t != nil {
		return t.apps[strings.ToLower(clientID)]
	}
	return nil
}

// challenged is the answer to a token that was revoked. The caller holds mu.
func (s *Sim) challenged(x *exchange, g grant) *refusal {
	a := s.registered(g.tenant, g.app)
	if a == nil || a.challenge.nbf == "" || a.challenge.nbf == g.nbf || !g.cp1 && !a.challenge.Everyone {
		return nil
	}
	claims := base64.StdEncoding.EncodeToString([]byte(`{"access_token":{"nbf":{"essential":true,"value":"` + a.challenge.nbf + `"}}}`))
	f := refused(http.StatusUnauthorized, "InvalidAuthenticationToken", "Continuous access evaluation resulted in challenge with result: InteractionRequired and code: TokenIssuedBeforeRevocationTimestamp")
	if a.challenge.Forbidden {
		f.status, f.code = http.StatusForbidden, "insufficient_claims"
	}
	f.header = http.Header{"Www-Authenticate": {fmt.Sprintf(
		`Bearer realm="", authorization_uri="%s/common/oauth2/authorize", error="insufficient_claims", claims="%s"`, x.root, claims)}}
	return f
}

// readClaims takes from a token request's claims what the simulator knows: the answer to a challenge, and cp1.
func readClaims(text string) (nbf string, cp1 bool, bad *refusal) {
	if text == "" {
		return "", false, nil
	}
	var in struct {
		Token struct {
			NBF *struct{ Value string }    `json:"nbf"`
			CC  *struct{ Values []string } `json:"xms_cc"`
		} `json:"access_token"`
	}
	if json.Unmarshal([]byte(text), &in) != nil {
		return "", false, refused(400, "invalid_request", "AADSTS5000224: The claims parameter is not valid JSON.")
	}
	if in.Token.NBF != nil {
		nbf = in.Token.NBF.Value
	}
	return nbf, in.Token.CC != nil && slices.ContainsFunc(in.Token.CC.Values, func(v string) bool { return same(v, "cp1") }), nil
}
