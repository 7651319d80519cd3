package verify

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/MicahParks/jwkset"
	"github.com/golang-jwt/jwt/v5"
)

func (v sealedVector) bearer(t testing.TB) Bearer {
	t.Helper()
	var s struct {
		JWKS                     json.RawMessage
		Issuer, Audience, Tenant string
		Clients                  []string `json:"allowed_clients"`
		Role                     string   `json:"required_role"`
		Algs                     []string
	}
	if err := json.Unmarshal(v.Secret, &s); err != nil {
		t.Fatal(err)
	}
	return Bearer{Issuer: s.Issuer, Audiences: []string{s.Audience}, Tenant: s.Tenant, Clients: s.Clients,
		Roles: []string{s.Role}, Algorithms: s.Algs, JWKS: s.JWKS}
}

func bearerCheck(t testing.TB, b Bearer) *bearer {
	t.Helper()
	c, err := newBearer(b)
	if err != nil {
		t.Fatal(err)
	}
	k := c.(*bearer)
	t.Cleanup(k.close)
	return k
}

func TestBearerVectors(t *testing.T) {
	for _, v := range sealedVectors(t, "jwt-entra") {
		t.Run(v.ID, func(t *testing.T) {
			b := v.bearer(t)
			d, refusal := bearerCheck(t, b).verify(v.request(t), time.Unix(v.Now, 0))
			want := BadToken
			switch {
			case v.Valid:
				want = ""
			case v.ID == "jwt-missing-role":
				want = NotPermitted
			}
			if refusal != want {
				t.Fatalf("got %q, want %q", refusal, want)
			}
			if v.Valid && (d.SignsTime || d.SignsBody || d.Proof != nil || d.Uses[0] != Use{"bearer", b.Clients[0]}) {
				t.Errorf("got %+v", d)
			}
		})
	}
}

// Whatever single bit of a good token is changed, or of the word before it, it is
// refused.
func TestBearerEveryBit(t *testing.T) {
	for _, v := range sealedVectors(t, "jwt-entra") {
		if !v.Valid {
			continue
		}
		c, good := bearerCheck(t, v.bearer(t)), v.header().Get("Authorization")
		eachBit([]byte(good), func(flipped []byte) {
			r := &Request{Header: http.Header{"Authorization": {string(flipped)}}}
			if _, refusal := c.verify(r, time.Unix(v.Now, 0)); refusal == "" {
				t.Errorf("accepted %q", flipped)
			}
		})
	}
}

// An issuer signs tokens for tests.
type issuer struct {
	kid  string
	priv *ecdsa.PrivateKey
}

func newIssuer(kid string) issuer {
	return issuer{kid, must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))}
}

// jwks is the set of the issuers' keys.
func jwks(issuers ...issuer) []byte {
	var set jwkset.JWKSMarshal
	for _, i := range issuers {
		set.Keys = append(set.Keys, jwk(&i.priv.PublicKey, i.kid, jwkset.UseSig, false).Marshal())
	}
	return must(json.Marshal(set))
}

func jwk(key any, kid string, use jwkset.USE, private bool) jwkset.JWK {
	return must(jwkset.NewJWKFromKey(key, jwkset.JWKOptions{
		Marshal:  jwkset.JWKMarshalOptions{Private: private},
		Metadata: jwkset.JWKMetadataOptions{KID: kid, USE: use},
	}))
}

// token is a good one of ours, changed by over; nil removes a claim.
func (i issuer) token(over jwt.MapClaims) string {
	return i.tokenWith(nil, over)
}

func (i issuer) tokenWith(header map[string]any, over jwt.MapClaims) string {
	t := jwt.NewWithClaims(jwt.SigningMethodES256, usualClaims(over))
	t.Header["kid"] = i.kid
	maps.Copy(t.Header, header)
	maps.DeleteFunc(t.Header, func(_ string, v any) bool { return v == nil })
	return must(t.SignedString(i.priv))
}

func usualClaims(over jwt.MapClaims) jwt.MapClaims {
	claims := jwt.MapClaims{"iss": "https://issuer.example", "aud": "relay", "tid": "t1", "azp": "snow", "idtyp": "app",
		"roles": []string{"Ingest.Write"}, "exp": at.Unix() + 3600, "nbf": at.Unix()}
	maps.Copy(claims, over)
	maps.DeleteFunc(claims, func(_ string, v any) bool { return v == nil })
	return claims
}

// ours is the configuration that fits the tokens of i.
func (i issuer) ours() Bearer {
	return Bearer{Issuer: "https://issuer.example", Audiences: []string{"relay", "api://relay"}, Tenant: "t1",
		Clients: []string{"jira", "snow"}, Roles: []string{"Admin", "Ingest.Write"}, Algorithms: []string{"ES256"}, JWKS: jwks(i)}
}

func authorized(token string) *Request {
	return &Request{Header: http.Header{"Authorization": {"Bearer " + token}}}
}

func TestBearerClaims(t *testing.T) {
	i := newIssuer("k1")
	type m = jwt.MapClaims
	for name, c := range map[string]struct {
		claims m
		want   Reason
	}{
		"as it should be":        {nil, ""},
		"of version 1":           {m{"azp": nil, "appid": "snow"}, ""},
		"both, equal":            {m{"appid": "snow"}, ""},
		"both, different":        {m{"appid": "jira"}, NotPermitted},
		"no client":              {m{"azp": nil}, NotPermitted},
		"an empty client":        {m{"azp": ""}, NotPermitted},
		"another client":         {m{"azp": "halo"}, NotPermitted},
		"clients":                {m{"azp": []string{"snow"}}, NotPermitted},
		"in another letter case": {m{"azp": nil, "AZP": "snow"}, NotPermitted},
		"several audiences":      {m{"aud": []string{"graph", "api://relay"}}, ""},
		"another audience":       {m{"aud": "graph"}, BadToken},
		"other audiences":        {m{"aud": []string{"graph", "vault"}}, BadToken},
		"no audience":            {m{"aud": nil}, BadToken},
		"an empty audience":      {m{"aud": ""}, BadToken},
		"another issuer":         {m{"iss": "https://issuer.example/"}, BadToken},
		"no issuer":              {m{"iss": nil}, BadToken},
		"another tenant":         {m{"tid": "t2"}, BadToken},
		"no tenant":              {m{"tid": nil}, BadToken},
		"a tenant that is none":  {m{"tid": map[string]any{}}, BadToken},
		"a person's":             {m{"idtyp": "user"}, NotPermitted},
		"a kind that is none":    {m{"idtyp": true}, NotPermitted},
		"no kind":                {m{"idtyp": nil}, ""},
		"no kind, delegated":     {m{"idtyp": nil, "scp": "Ingest.Write"}, NotPermitted},
		"no kind, empty scope":   {m{"idtyp": nil, "scp": ""}, NotPermitted},
		"another role":           {m{"roles": []string{"Reader"}}, NotPermitted},
		"several roles":          {m{"roles": []any{1, "Reader", "Admin"}}, ""},
		"no roles":               {m{"roles": nil}, NotPermitted},
		"a role as text":         {m{"roles": "Ingest.Write"}, NotPermitted},
		"no end":                 {m{"exp": nil}, BadToken},
		"no end but zero":        {m{"exp": 0}, BadToken},
		"an end as text":         {m{"exp": "1618888073"}, BadToken},
		"59 s over":              {m{"exp": at.Unix() - 59}, ""},
		"60 s over":              {m{"exp": at.Unix() - 60}, BadToken},
		"60 s ahead":             {m{"nbf": at.Unix() + 60}, ""},
		"61 s ahead":             {m{"nbf": at.Unix() + 61}, BadToken},
		"a beginning as text":    {m{"nbf": "now"}, BadToken},
		"no beginning":           {m{"nbf": nil}, ""},
	} {
		if _, got := bearerCheck(t, i.ours()).verify(authorized(i.token(c.claims)), at); got != c.want {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}

// What is not asked for may be absent.
func TestBearerWithoutTenantAndRoles(t *testing.T) {
	i := newIssuer("k1")
	b := i.ours()
	b.Tenant, b.Roles = "", nil
	if _, got := bearerCheck(t, b).verify(authorized(i.token(jwt.MapClaims{"tid": nil, "roles": nil})), at); got != "" {
		t.Errorf("got %q", got)
	}
}

// The algorithm and the key are never the token's choice.
func TestBearerHeader(t *testing.T) {
	i, other := newIssuer("k1"), newIssuer("k1")
	mac := jwt.NewWithClaims(jwt.SigningMethodHS256, usualClaims(nil))
	mac.Header["kid"] = "k1"
	for name, c := range map[string]struct {
		token string
		want  Reason
	}{
		"as it should be":         {i.token(nil), ""},
		"another key":             {other.token(nil), BadToken},
		"an unknown kid":          {i.tokenWith(map[string]any{"kid": "k2"}, nil), BadToken},
		"no kid":                  {i.tokenWith(map[string]any{"kid": nil}, nil), BadToken},
		"a kid that is a number":  {i.tokenWith(map[string]any{"kid": 1}, nil), BadToken},
		"its own key":             {other.tokenWith(map[string]any{"jwk": jwk(&other.priv.PublicKey, "k1", "", false).Marshal(), "jku": "https://x.example"}, nil), BadToken},
		"a critical header":       {i.tokenWith(map[string]any{"crit": []string{"exp"}}, nil), BadToken},
		"none":                    {i.tokenWith(map[string]any{"alg": "none"}, nil), BadToken},
		"a MAC with a public key": {must(mac.SignedString([]byte(pemOf(&i.priv.PublicKey)))), BadToken},
	} {
		if _, got := bearerCheck(t, i.ours()).verify(authorized(c.token), at); got != c.want {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}

// A good token of an algorithm that is not configured is none, nor is one whose
// key is for another.
func TestBearerAlgorithms(t *testing.T) {
	i := newIssuer("k1")
	unlisted, unfit := i.ours(), i.ours()
	unlisted.Algorithms = []string{"ES384", "RS256"}
	unfit.JWKS = []byte(strings.Replace(string(unfit.JWKS), `{"kty"`, `{"alg":"ES384","kty"`, 1))
	for name, b := range map[string]Bearer{"unlisted": unlisted, "unfit": unfit} {
		if _, got := bearerCheck(t, b).verify(authorized(i.token(nil)), at); got != BadToken {
			t.Errorf("%s: got %q", name, got)
		}
	}
}

func TestBearerAuthorization(t *testing.T) {
	i := newIssuer("k1")
	good := i.token(nil)
	long := i.token(jwt.MapClaims{"pad": strings.Repeat("x", 5000)})
	longest := i.token(jwt.MapClaims{"pad": strings.Repeat("x", 7000)})
	if len(long) > MaxToken || len(longest) <= MaxToken {
		t.Fatalf("tokens of %d and %d bytes", len(long), len(longest))
	}
	for name, c := range map[string]struct {
		values []string
		want   Reason
	}{
		"in small letters":         {[]string{"bearer " + good}, BadHeader},
		"in capitals":              {[]string{"BEARER " + good}, BadHeader},
		"two spaces":               {[]string{"Bearer  " + good}, ""},
		"a long one":               {[]string{"Bearer " + long}, ""},
		"none":                     {nil, MissingHeader},
		"empty":                    {[]string{""}, MissingHeader},
		"two":                      {[]string{"Bearer " + good, "Bearer " + good}, RepeatedHeader},
		"another scheme":           {[]string{"Basic " + good}, BadHeader},
		"no scheme":                {[]string{good}, BadHeader},
		"no token":                 {[]string{"Bearer "}, BadHeader},
		"no space":                 {[]string{"Bearer" + good}, BadHeader},
		"a tab":                    {[]string{"Bearer\t" + good}, BadHeader},
		"a space after":            {[]string{"Bearer " + good + " "}, BadHeader},
		"two in one":               {[]string{"Bearer " + good + ", Bearer " + good}, BadHeader},
		"with padding":             {[]string{"Bearer " + good + "="}, BadHeader},
		"a line break":             {[]string{"Bearer " + good[:9] + "\n" + good[9:]}, BadHeader},
		"more than 8 kB":           {[]string{"Bearer " + longest}, BadHeader},
		"not three parts":          {[]string{"Bearer a.b"}, BadToken},
		"four parts":               {[]string{"Bearer " + good + ".a"}, BadToken},
		"dots":                     {[]string{"Bearer .."}, BadToken},
		"null":                     {[]string{"Bearer bnVsbA.bnVsbA."}, BadToken},
		"a signature cut short":    {[]string{"Bearer " + good[:len(good)-4]}, BadToken},
		"without its signature":    {[]string{"Bearer " + good[:strings.LastIndex(good, ".")+1]}, BadToken},
		"the signature of another": {[]string{"Bearer " + good[:strings.LastIndex(good, ".")] + long[strings.LastIndex(long, "."):]}, BadToken},
	} {
		r := &Request{Header: http.Header{"Authorization": c.values}, Query: "access_token=" + good}
		if _, got := bearerCheck(t, i.ours()).verify(r, at); got != c.want {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}

// What would let in more than is known is refused at start, field by field.
func TestNewBearer(t *testing.T) {
	i := newIssuer("k1")
	change := func(f func(*Bearer)) Bearer { b := i.ours(); f(&b); return b }
	set := func(keys ...jwkset.JWK) Bearer {
		return change(func(b *Bearer) {
			var s jwkset.JWKSMarshal
			for _, k := range keys {
				s.Keys = append(s.Keys, k.Marshal())
			}
			b.JWKS = must(json.Marshal(s))
		})
	}
	small := must(rsa.GenerateKey(rand.Reader, 1024))
	for want, b := range map[string]Bearer{
		"issuer: ":                         change(func(b *Bearer) { b.Issuer = "" }),
		"audiences: ":                      change(func(b *Bearer) { b.Audiences = nil }),
		"audiences: w":                     change(func(b *Bearer) { b.Audiences = []string{""} }),
		"clients: ":                        change(func(b *Bearer) { b.Clients = nil }),
		"clients: w":                       change(func(b *Bearer) { b.Clients = []string{"snow", ""} }),
		"clients: wa":                      change(func(b *Bearer) { b.Clients = []string{"snow", "snow"} }),
		"roles: ":                          change(func(b *Bearer) { b.Roles = []string{} }),
		"algorithms: ":                     change(func(b *Bearer) { b.Algorithms = []string{} }),
		`algorithms[0]: "HS256" is not`:    change(func(b *Bearer) { b.Algorithms = []string{"HS256"} }),
		`algorithms[1]: "none" is not`:     change(func(b *Bearer) { b.Algorithms = []string{"RS256", "none"} }),
		"leeway: -1s":                      change(func(b *Bearer) { b.Leeway = -time.Second }),
		"leeway: 5m1s":                     change(func(b *Bearer) { b.Leeway = 301 * time.Second }),
		"jwks_url: want it, or jwks":       change(func(b *Bearer) { b.JWKS = nil }),
		"jwks_url: want it, or jwks, ":     change(func(b *Bearer) { b.JWKSURL = "https://issuer.example/keys" }),
		"jwks_url: want an https":          change(func(b *Bearer) { b.JWKS, b.JWKSURL = nil, "http://issuer.example/keys" }),
		"jwks_url: want an https address":  change(func(b *Bearer) { b.JWKS, b.JWKSURL = nil, "https://u:s3cr3t@issuer.example/keys" }),
		"jwks_url: want an https address ": change(func(b *Bearer) { b.JWKS, b.JWKSURL = nil, "https:///keys" }),
		"jwks: is not a JSON Web Key Set":  change(func(b *Bearer) { b.JWKS = []byte("s3cr3t") }),
		"jwks: holds no public key":        change(func(b *Bearer) { b.JWKS = []byte(`{"keys":[{"kty":"oct","k":"czNjcjN0","kid":"k1"}]}`) }),
		"jwks: holds no public key ":       set(),
		"jwks: holds no public key w":      set(jwk(&i.priv.PublicKey, "", jwkset.UseSig, false)),
		"jwks: holds no public key wi":     set(jwk(&i.priv.PublicKey, "k1", jwkset.UseEnc, false)),
		"jwks: holds no public key wit":    set(jwk(&small.PublicKey, "k1", "", false)),
		"jwks: holds no public key with":   set(jwk([]byte("s3cr3t"), "k1", "", true)),
	} {
		if _, err := newBearer(b); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		} else if strings.Contains(err.Error(), "s3cr3t") {
			t.Errorf("the error holds a secret: %v", err)
		}
	}
}

// Of a set, what is of no use is left out.
func TestBearerUsefulKeys(t *testing.T) {
	i := newIssuer("k1")
	b := i.ours()
	odd := `{"kty":"EC","crv":"P-999","kid":"x"},{"kty":"AKP","kid":"y"},{"kty":"EC","crv":"P-256","x":"AA","y":"AA","kid":"k1"},`
	b.JWKS = slices.Concat([]byte(`{"keys":[`+odd), b.JWKS[len(`{"keys":[`):])
	if _, got := bearerCheck(t, b).verify(authorized(i.token(nil)), at); got != "" {
		t.Errorf("got %q", got)
	}
}

func TestBearerDefaults(t *testing.T) {
	i := newIssuer("k1")
	b := i.ours()
	b.Algorithms = nil
	c := bearerCheck(t, b)
	if !slices.Equal(c.Algorithms, []string{"RS256"}) || c.Leeway != DefaultLeeway {
		t.Errorf("got %+v", c.Bearer)
	}
	if a := c.about(); a.name != "bearer" || !slices.Equal(a.keys, b.Clients) || a.signsBody || a.signsTime {
		t.Errorf("got %+v", a)
	}
}

// FuzzBearer gives the parsers a stranger's bytes. The key is one that nothing
// in the corpus is signed with.
func FuzzBearer(f *testing.F) {
	var b Bearer
	for _, v := range sealedVectors(f, "jwt-entra") {
		b = v.bearer(f)
		f.Add(v.header().Get("Authorization"))
	}
	k := must(rsa.GenerateKey(rand.Reader, 2048))
	b.JWKS = must(json.Marshal(jwkset.JWKSMarshal{Keys: []jwkset.JWKMarshal{jwk(&k.PublicKey, "k1", "", false).Marshal()}}))
	c := bearerCheck(f, b)
	f.Fuzz(func(t *testing.T, value string) {
		d, refusal := c.verify(&Request{Header: http.Header{"Authorization": {value}}}, time.Unix(1790000060, 0))
		if refusal == "" || !slices.Contains(Reasons, refusal) {
			t.Fatalf("got %q, %+v", refusal, d)
		}
	})
}
