package verify

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/MicahParks/keyfunc/v3"
	"github.com/golang-jwt/jwt/v5"
)

// MaxToken is the longest token, in bytes. Those of Entra ID with many groups
// have 4 kB.
const MaxToken = 8 << 10

// A bearer checks the JWT in the Authorization header (RFC 6750, 7519). It
// vouches for who asks, not for what: a token is sent many times, with any body.
// Tokens in the query are not read, because queries end in logs.
type bearer struct {
	Bearer
	keys keyfunc.Keyfunc
	stop func() // ends fetching them
}

// verify is check's.
func (c *bearer) verify(r *Request, now time.Time) (Delivery, Reason) {
	token, refusal := readToken(r.Header)
	if refusal != "" {
		return Delivery{}, refusal
	}
	claims := jwt.MapClaims{} // a struct's fields would match in any letter case
	_, err := c.parser(now).ParseWithClaims(token, claims, c.key)
	switch {
	case errors.Is(err, errKeysAway):
		return Delivery{}, KeysAway
	case err != nil:
		return Delivery{}, BadToken
	}
	client, refusal := c.judge(claims)
	if refusal != "" {
		return Delivery{}, refusal
	}
	return Delivery{Uses: []Use{{"bearer", client}}}, ""
}

// readToken returns what follows the word Bearer, as RFC 6750 writes it.
func readToken(h http.Header) (token string, refusal Reason) {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	value, refusal := single(h, "Authorization")
	if refusal != "" {
		return "", refusal
	}
	word, token, _ := strings.Cut(value, " ")
	token = strings.TrimLeft(token, " ")
	if word != "Bearer" || token == "" || len(token) > MaxToken || strings.Trim(token, alphabet+".") != "" {
		return "", BadHeader // line breaks too, which the decoder of base64 would skip
	}
	return token, ""
}

// parser checks the form, the signature, and the claims of RFC 7519 that say
// when and for whom a token is good.
func (c *bearer) parser(now time.Time) *jwt.Parser {
	return jwt.NewParser(
		jwt.WithValidMethods(c.Algorithms), jwt.WithStrictDecoding(),
		jwt.WithIssuer(c.Issuer), jwt.WithAudience(c.Audiences...),
		jwt.WithExpirationRequired(), jwt.WithLeeway(c.Leeway),
		jwt.WithTimeFunc(func() time.Time { return now }),
	)
}

var errToken = errors.New("the token's header lacks a kid, or has a crit that must be understood")

// key finds the issuer's key that the token names. A token that names none
// would have to be tried with all; one with crit (RFC 7515, section 4.1.11)
// must be refused by who does not know what is critical.
func (c *bearer) key(t *jwt.Token) (any, error) {
	_, critical := t.Header["crit"]
	if id, _ := t.Header["kid"].(string); id == "" || critical {
		return nil, errToken
	}
	return c.keys.Keyfunc(t)
}

// judge holds the claims of a good token against the configuration, and returns
// the client that it was given to.
func (c *bearer) judge(claims jwt.MapClaims) (client string, refusal Reason) {
	client = actor(claims)
	switch {
	case c.Tenant != "" && claims["tid"] != c.Tenant:
		return "", BadToken
	case !isApp(claims), !slices.Contains(c.Clients, client), !c.hasRole(claims):
		return "", NotPermitted
	}
	return client, ""
}

// actor is azp, or appid in a token of version 1. Two that differ are none.
// https://learn.microsoft.com/en-us/entra/identity-platform/claims-validation
func actor(claims jwt.MapClaims) string {
	azp, _ := claims["azp"].(string)
	appID, _ := claims["appid"].(string)
	switch {
	case azp == "":
		return appID
	case appID != "" && appID != azp:
		return ""
	}
	return azp
}

// isApp reports whether a program asks for itself, and not for a person who
// could be anybody in the tenant. idtyp says it, but Entra puts it in only when
// the application asks for it, and other issuers do not know it. Without it, a
// token with scp was given to a person's program; one without is an app's.
func isApp(claims jwt.MapClaims) bool {
	if kind, there := claims["idtyp"]; there {
		return kind == "app"
	}
	_, delegated := claims["scp"]
	return !delegated
}

// hasRole looks for one of the roles, if any is asked for.
func (c *bearer) hasRole(claims jwt.MapClaims) bool {
	roles, _ := claims["roles"].([]any)
	return len(c.Roles) == 0 || slices.ContainsFunc(roles, func(r any) bool {
		name, _ := r.(string)
		return slices.Contains(c.Roles, name)
	})
}

func (c *bearer) about() about {
	a := about{name: "bearer", keys: c.Clients}
	if !isEntra(c.Issuer) {
		a.weak = []string{"no idtyp tells an application's token from a person's, but with Entra ID; " +
			"have the issuer give these clients tokens for applications only"}
	}
	return a
}

// entra are the hosts of its issuers, in all clouds.
var entra = []string{"login.microsoftonline.com", "sts.windows.net", "login.microsoftonline.us", "login.partner.microsoftonline.cn", "sts.chinacloudapi.cn"}

func isEntra(issuer string) bool {
	u, err := url.Parse(issuer)
	return err == nil && slices.Contains(entra, u.Host)
}

// close ends the fetching of keys, and waits until it has ended.
func (c *bearer) close() { c.stop() }
