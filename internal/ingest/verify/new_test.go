package verify

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

// An error names the check and the field, all that is wrong is said at once, and
// no secret is.
func TestNewRefuses(t *testing.T) {
	zendesk, _ := Preset("zendesk")
	decoded := zendesk
	decoded.SecretForm = "base64"
	for _, c := range []struct {
		config Config
		want   []string
	}{
		{Config{}, []string{"there is no check"}},
		{Config{Signature: &Signature{Scheme{}, keysOf("s3cr3t")}}, []string{"signature.header: ", "signature.encoding: ", "signature.signed: "}},
		{Config{Signature: &Signature{ServiceNow(), nil}, Basic: &Basic{"", nil}}, []string{"signature.keys: ", "basic.user: "}},
		{Config{Signature: &Signature{zendesk, keysOf("s3cr3t", publishedSecret)}}, []string{"signature.keys[1].secret: is the one that Zendesk publishes"}},
		{Config{Signature: &Signature{decoded, keysOf(publishedSecret)}}, []string{"signature.keys[0].secret: is the one that Zendesk publishes"}},
		{Config{Header: &Header{"authorization", "", keysOf(token)}, Basic: &Basic{"snow", keysOf(token)}}, []string{"basic, header: all read"}},
		{Config{Header: &Header{"X Y", "", keysOf(token)}}, []string{"header.name: \"X Y\""}},
		{Config{Header: &Header{"X-Token", " ", keysOf(token)}}, []string{"header.prefix: \" \" starts with a space"}},
		{Config{Header: &Header{"X-Token", "", nil}}, []string{"header.keys: there is none"}},
		{Config{Header: &Header{"X-Token", "", keysOf(token, "s3cr3t7")}}, []string{"header.keys[1].secret: is shorter than 8 bytes"}},
		{Config{Header: &Header{"X-Token", "", keysOf("s3cr3t-with-a-line-break\n")}}, []string{"header.keys[0].secret: starts or ends with"}},
		{Config{Header: &Header{"X-Token", "", keysOf("")}}, []string{"header.keys[0].secret: is empty"}},
		{Config{Basic: &Basic{"a:b", keysOf(token)}}, []string{"basic.user: "}},
		{Config{Basic: &Basic{"snow", keysOf("s3cr3t")}}, []string{"basic.keys[0].secret: is shorter"}},
		{Config{Certificate: &Certificate{}}, []string{"certificate.subjects: there is none"}},
		{Config{Certificate: &Certificate{Subjects: []string{""}}}, []string{"certificate.subjects: one is empty"}},
		{Config{Certificate: &Certificate{DNSNames: []string{""}}}, []string{"certificate.dns_names: one is empty"}},
		{Config{ClientState: &ClientState{keysOf("s3cr3t")}}, []string{"client_state.keys[0].secret: is shorter"}},
		{Config{SNS: &SNS{keysOf("s3cr3t"), []string{topic}}}, []string{"sns.keys[0].secret: "}},
	} {
		v, err := New(c.config)
		if v != nil || err == nil {
			t.Errorf("accepted; want %q", c.want)
			continue
		}
		for _, want := range c.want {
			if !slices.ContainsFunc(strings.Split(err.Error(), "\n"), func(line string) bool { return strings.HasPrefix(line, want) }) {
				t.Errorf("got %v; want %s", err, want)
			}
		}
		if strings.Contains(err.Error(), "s3cr3t") || strings.Contains(err.Error(), publishedSecret) {
			t.Errorf("the error holds the secret: %v", err)
		}
	}
}

// two is a source with a signature and a static secret.
func two(t *testing.T) *Verifier {
	t.Helper()
	v, err := New(Config{
		Signature: &Signature{StandardWebhooks(), []Key{{ID: "2026", Secret: secret}}},
		Header:    &Header{"Authorization", "Bearer ", []Key{{ID: "token", Secret: token}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// All checks must pass, and the first that does not says why.
func TestEveryCheckMustPass(t *testing.T) {
	signed := func(authorization string) http.Header {
		h := request("{}")
		h.Set("Authorization", authorization)
		return h
	}
	unsigned := signed("Bearer x")
	unsigned.Set("Webhook-Id", "msg_2")
	for name, c := range map[string]struct {
		header http.Header
		want   Reason
	}{
		"both":        {signed("Bearer " + token), ""},
		"only signed": {request("{}"), MissingHeader},
		"bad secret":  {signed("Bearer x"), BadSecret},
		"neither":     {unsigned, BadSignature},
		"only secret": {http.Header{"Authorization": {"Bearer " + token}}, MissingHeader},
	} {
		d, err := two(t).Verify(&Request{Header: c.header, Body: []byte("{}")}, clock)
		var r *Refusal
		switch {
		case c.want == "" && (err != nil || len(d.Uses) != 2):
			t.Errorf("%s: got %+v, %v", name, d, err)
		case c.want != "" && (!errors.As(err, &r) || r.Reason != c.want || d.Uses != nil):
			t.Errorf("%s: got %+v, %v; want %s", name, d, err, c.want)
		}
	}
}

// A Delivery says what is signed, and nothing more.
func TestDelivery(t *testing.T) {
	h := request("{}")
	h.Set("Authorization", "Bearer "+token)
	d, err := two(t).Verify(&Request{Header: h, Body: []byte("{}")}, clock)
	if err != nil {
		t.Fatal(err)
	}
	proof := sha256.Sum256([]byte("msg_1.1790000000.{}"))
	if d.ID != "msg_1" || !d.SignsID || !d.SignsTime || !d.SignsBody || !d.Timestamp.Equal(clock) || string(d.Proof) != string(proof[:]) {
		t.Errorf("got %+v", d)
	}
	if !slices.Equal(d.Uses, []Use{{"signature", "2026"}, {"header", "token"}}) {
		t.Errorf("used %v", d.Uses)
	}
	for header, want := range map[string]bool{"webhook-id": true, "Webhook-Timestamp": true, "Authorization": false, "Ce-Id": false} {
		if d.Covers(header) != want {
			t.Errorf("covers %s: %v", header, !want)
		}
	}
	if !(Delivery{}).Covers("Ce-Id") {
		t.Error("where nothing is signed, the channel vouches for all headers")
	}
}

// An id that nothing signs proves nothing: it may be left out, but it may not be
// ambiguous.
func TestUnsignedID(t *testing.T) {
	github, _ := Preset("github")
	h, err := Sign(github, "s3cr3t", "72d3162e-cc78", clock, []byte("{}"))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		ids    []string
		want   string
		reason Reason
	}{
		{[]string{"72d3162e-cc78"}, "72d3162e-cc78", ""},
		{nil, "", ""},
		{[]string{""}, "", ""},
		{[]string{"1", "2"}, "", RepeatedHeader},
		{[]string{"a b"}, "", BadHeader},
		{[]string{strings.Repeat("a", MaxID+1)}, "", BadHeader},
	} {
		h["X-Github-Delivery"] = c.ids
		d, refusal := verifier(t, github, "s3cr3t").checks[0].verify(&Request{Header: h, Body: []byte("{}")}, clock)
		if refusal != c.reason || d.ID != c.want || d.SignsID {
			t.Errorf("%q: got %+v, %q; want %q, %q", c.ids, d, refusal, c.want, c.reason)
		}
	}
}

// What an administrator is told of a source.
func TestWarnings(t *testing.T) {
	zammad, _ := Preset("zammad")
	a := newAmazon(t)
	for name, c := range map[string]struct {
		config Config
		want   []string // starts of lines
	}{
		"signed with time": {Config{Signature: &Signature{StandardWebhooks(), keysOf(secret)}}, nil},
		"signed":           {Config{Signature: &Signature{ServiceNow(), keysOf(secret)}}, []string{"no replay protection"}},
		"sha1":             {Config{Signature: &Signature{zammad, keysOf(secret)}}, []string{"signature: signs with HMAC-SHA1", "no replay protection"}},
		"sns":              {Config{SNS: &SNS{keysOf(a.pem), []string{topic}}}, []string{"sns: ", "no replay protection"}},
		"static": {Config{Header: &Header{"X-Token", "", keysOf(token)}, Basic: &Basic{"snow", keysOf(token)}},
			[]string{"header, basic: does not cover the body", "no replay protection"}},
		"names only": {Config{Certificate: &Certificate{DNSNames: []string{"snow.example"}}},
			[]string{"certificate: does not cover the body", "no replay protection"}},
		"client state": {Config{ClientState: &ClientState{keysOf(token)}},
			[]string{"client_state: does not cover the body", "no replay protection"}},
		"short static": {Config{Header: &Header{"X-Token", "", []Key{{ID: "old", Secret: "of-15-bytes-now"}, {ID: "new", Secret: token}}}},
			[]string{"header: key old is shorter than 16 bytes", "header: does not cover", "no replay protection"}},
		"short key": {Config{Signature: &Signature{zammad, keysOf("of-15-bytes-now", secret)}},
			[]string{"signature: signs with HMAC-SHA1", "signature: key 0 is shorter than 16 bytes", "no replay protection"}},
		"short key in base64": {Config{Signature: &Signature{StandardWebhooks(), keysOf("whsec_" + pair("of-15-bytes-now"))}},
			[]string{"signature: key 0 is shorter than 16 bytes"}},
		"short HTTP key": {Config{HTTPSignature: &HTTPSignature{Keys: []HTTPKey{{Key: Key{ID: "k", Secret: pair("of-15-bytes-now")}, Algorithm: "hmac-sha256"}}}},
			[]string{"http_signature: key k is shorter than 16 bytes"}},
		"public key": {Config{HTTPSignature: &HTTPSignature{Keys: []HTTPKey{{Key: Key{ID: "k", Secret: pair(publicHalf)}, Algorithm: "ed25519"}}}}, nil},
		"Entra": {Config{Bearer: tokensOf("https://login.microsoftonline.com/acme/v2.0")},
			[]string{"bearer: does not cover", "no replay protection"}},
		"another issuer": {Config{Bearer: tokensOf("https://login.microsoftonline.com.example/")},
			[]string{"bearer: no idtyp tells", "bearer: does not cover", "no replay protection"}},
		"static and signed": {Config{Header: &Header{"X-Token", "", keysOf(token)}, Signature: &Signature{StandardWebhooks(), keysOf(secret)}}, nil},
	} {
		v, err := New(c.config)
		if err != nil {
			t.Fatal(err)
		}
		got := v.Warnings()
		if !slices.EqualFunc(got, c.want, strings.HasPrefix) {
			t.Errorf("%s: got %q; want %q", name, got, c.want)
		}
		v.Close()
	}
}

func TestVerifierTellsItsKeys(t *testing.T) {
	v := two(t)
	if got, want := v.Keys(), []Use{{"signature", "2026"}, {"header", "token"}}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if got, want := v.Checks(), []string{"signature", "header"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// Every preset compiles, carries what it signs, and is weak only where its
// sender is.
func TestPresets(t *testing.T) {
	private := base64.StdEncoding.EncodeToString([]byte(privateHalf + publicHalf))
	for _, name := range Presets() {
		s, ok := Preset(name)
		if !ok {
			t.Fatalf("%s is listed, and is none", name)
		}
		if (s.Weak() != "") != (name == "zammad") {
			t.Errorf("%s: weak: %q", name, s.Weak())
		}
		signs, verifies := secret, secret
		if s.Algorithm == ed25519Name {
			signs, verifies = private, base64.StdEncoding.EncodeToString([]byte(publicHalf))
		}
		h, err := Sign(s, signs, "msg_1", clock, []byte("{}"))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		v, err := New(Config{Signature: &Signature{s, keysOf(verifies)}})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if _, err := v.Verify(&Request{Header: h, Body: []byte("{}")}, clock.Add(time.Minute)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, ok := Preset("guess"); ok {
		t.Error("a preset that is none is found")
	}
}

// tokensOf takes an issuer's tokens.
func tokensOf(issuer string) *Bearer {
	return &Bearer{Issuer: issuer, Audiences: []string{"a"}, Clients: []string{"c"}, JWKS: jwks(newIssuer("k"))}
}

// What two checks vouch for together is the more of it.
func TestBodyThatIsVouchedFor(t *testing.T) {
	channel, part, whole := Delivery{}, Delivery{SignsBody: true, Body: []byte("part")}, Delivery{SignsBody: true}
	for name, c := range map[string]struct {
		a, b Delivery
		want string
	}{
		"channel, part":    {channel, part, "part"},
		"part, channel":    {part, channel, "part"},
		"part, whole":      {part, whole, ""},
		"whole, part":      {whole, part, ""},
		"channel, whole":   {channel, whole, ""},
		"channel, channel": {channel, channel, ""},
	} {
		if got := c.a.and(c.b); string(got.Body) != c.want {
			t.Errorf("%s: got %q, want %q", name, got.Body, c.want)
		}
	}
}

// A check whose keys are away says so only when no other check refuses.
func TestKeysAwayComesLast(t *testing.T) {
	away, refuses, passes := fixed(KeysAway), fixed(BadSecret), fixed("")
	for _, c := range []struct {
		checks []check
		want   Reason
	}{
		{[]check{away, refuses}, BadSecret}, {[]check{refuses, away}, BadSecret}, {[]check{away, passes}, KeysAway}, {[]check{passes, away}, KeysAway},
	} {
		_, err := (&Verifier{c.checks}).Verify(&Request{}, clock)
		if r := (*Refusal)(nil); !errors.As(err, &r) || r.Reason != c.want {
			t.Errorf("%v: got %v, want %s", c.checks, err, c.want)
		}
	}
}

// fixed is a check that always says the same.
type fixed Reason

func (f fixed) verify(*Request, time.Time) (Delivery, Reason) { return Delivery{}, Reason(f) }
func (fixed) about() about                                    { return about{} }
