package verify

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base64"
	"net/http"
	"strings"
	"testing"
)

const token = "tok_0123456789abcdef"

func authorization(values ...string) *Request {
	return &Request{Header: http.Header{"Authorization": values}, Body: []byte("{}")}
}

func pair(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }

func built(t *testing.T, k check, err error) check {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestHeader(t *testing.T) {
	bearer, err := newHeader(Header{"Authorization", "Bearer ", keysOf(token)}, MinSecret)
	built(t, bearer, err)
	own, err := newHeader(Header{"X-Automation-Token", "key=", keysOf(token)}, MinSecret)
	built(t, own, err)
	automation := func(values ...string) *Request {
		return &Request{Header: http.Header{"X-Automation-Token": values}}
	}
	for name, c := range map[string]struct {
		check   check
		request *Request
		want    Reason
	}{
		"right":                        {bearer, authorization("Bearer " + token), ""},
		"scheme in lower case":         {bearer, authorization("bearer " + token), BadHeader},
		"none":                         {bearer, &Request{}, MissingHeader},
		"empty":                        {bearer, authorization(""), MissingHeader},
		"twice":                        {bearer, authorization("Bearer "+token, "Bearer "+token), RepeatedHeader},
		"another scheme":               {bearer, authorization("Basic " + token), BadHeader},
		"no scheme":                    {bearer, authorization(token), BadHeader},
		"scheme only":                  {bearer, authorization("Bearer "), BadHeader},
		"two spaces":                   {bearer, authorization("Bearer  " + token), BadSecret},
		"one letter less":              {bearer, authorization("Bearer " + token[1:]), BadSecret},
		"one letter more":              {bearer, authorization("Bearer " + token + "0"), BadSecret},
		"letter case":                  {bearer, authorization("Bearer " + strings.ToUpper(token)), BadSecret},
		"too long":                     {bearer, authorization("Bearer " + strings.Repeat("x", MaxHeader)), BadHeader},
		"own header":                   {own, automation("key=" + token), ""},
		"own prefix in another case":   {own, automation("Key=" + token), BadHeader},
		"own header without its right": {own, automation("key="), BadHeader},
	} {
		if d, got := c.check.verify(c.request, clock); got != c.want || (got == "") != (len(d.Uses) == 1) || d.SignsBody {
			t.Errorf("%s: got %+v, %q; want %q", name, d, got, c.want)
		}
	}
}

func TestBasic(t *testing.T) {
	k, err := newBasic(Basic{"snow", keysOf("open sesame: now!")}, MinSecret)
	built(t, k, err)
	good := pair("snow:open sesame: now!")
	for name, c := range map[string]struct {
		request *Request
		want    Reason
	}{
		"right, with a colon in the password": {authorization("Basic " + good), ""},
		"scheme in another case":              {authorization("bASIC " + good), BadHeader},
		"another scheme":                      {authorization("Bearer " + good), BadHeader},
		"two spaces":                          {authorization("Basic  " + good), BadHeader},
		"a tab":                               {authorization("Basic\t" + good), BadHeader},
		"no padding":                          {authorization("Basic " + strings.TrimRight(good, "=")), BadHeader},
		"a line break inside":                 {authorization("Basic " + good[:8] + "\n" + good[8:]), BadHeader},
		"no colon":                            {authorization("Basic " + pair("snow")), BadHeader},
		"nothing":                             {authorization("Basic "), BadHeader},
		"another name":                        {authorization("Basic " + pair("Snow:open sesame: now!")), BadSecret},
		"no password":                         {authorization("Basic " + pair("snow:")), BadSecret},
		"another password":                    {authorization("Basic " + pair("snow:open sesame: now")), BadSecret},
		"shifted colon":                       {authorization("Basic " + pair("snow:open sesame:: now!")), BadSecret},
		"none":                                {&Request{}, MissingHeader},
		"twice":                               {authorization("Basic "+good, "Basic "+good), RepeatedHeader},
	} {
		if d, got := k.verify(c.request, clock); got != c.want || (got == "") != (len(d.Uses) == 1) {
			t.Errorf("%s: got %+v, %q; want %q", name, d, got, c.want)
		}
	}
}

// client is the certificate of a TLS client with these names.
func client(t *testing.T, dn pkix.RDNSequence, names ...string) *Request {
	t.Helper()
	raw, err := asn1.Marshal(dn)
	if err != nil {
		t.Fatal(err)
	}
	return &Request{Client: &x509.Certificate{RawSubject: raw, DNSNames: names}}
}

func TestCertificate(t *testing.T) {
	attribute := func(last int, value string) pkix.RelativeDistinguishedNameSET {
		return pkix.RelativeDistinguishedNameSET{{Type: asn1.ObjectIdentifier{2, 5, 4, last}, Value: value}}
	}
	organization, snow, evil := attribute(10, "Acme"), attribute(3, "snow"), attribute(3, "evil")
	k, err := newCertificate(Certificate{[]string{"CN=snow,O=Acme"}, []string{"snow.acme.example"}})
	built(t, k, err)
	for name, c := range map[string]struct {
		request *Request
		want    Reason
	}{
		"subject":                 {client(t, pkix.RDNSequence{organization, snow}), ""},
		"name":                    {client(t, nil, "x.example", "SNOW.acme.example"), ""},
		"no client":               {&Request{}, BadCertificate},
		"no names":                {client(t, nil), BadCertificate},
		"another subject":         {client(t, pkix.RDNSequence{organization, evil}), BadCertificate},
		"one more common name":    {client(t, pkix.RDNSequence{organization, evil, snow}), BadCertificate},
		"no organization":         {client(t, pkix.RDNSequence{snow}), BadCertificate},
		"commas inside of a name": {client(t, pkix.RDNSequence{attribute(3, "snow,O=Acme")}), BadCertificate},
		"wildcard":                {client(t, nil, "*.acme.example"), BadCertificate},
		"subject is no DN":        {&Request{Client: &x509.Certificate{RawSubject: []byte("CN=snow,O=Acme")}}, BadCertificate},
	} {
		if _, got := k.verify(c.request, clock); got != c.want {
			t.Errorf("%s: got %q; want %q", name, got, c.want)
		}
	}
}

// clientStateBodies are bodies of which none lets anybody in.
var clientStateBodies = map[string]string{
	"empty":            ``,
	"no object":        `[{"clientState":"secretClientValue"}]`,
	"no list":          `{"value":{"clientState":"secretClientValue"}}`,
	"no notification":  `{"value":[]}`,
	"no value":         `{"clientState":"secretClientValue"}`,
	"a text":           `{"value":["secretClientValue"]}`,
	"second is a text": `{"value":[{"clientState":"secretClientValue"},"secretClientValue"]}`,
	"twice":            `{"value":[{"clientState":"x","clientState":"secretClientValue"}]}`,
	"two lists":        `{"value":[{"clientState":"x"}],"value":[{"clientState":"secretClientValue"}]}`,
	"trailing":         `{"value":[{"clientState":"secretClientValue"}]} x`,
	"too deep":         strings.Repeat(`{"value":[`, 16) + `{"clientState":"secretClientValue"}` + strings.Repeat(`]}`, 16),
}

func TestClientState(t *testing.T) {
	k, err := newClientState(ClientState{[]Key{
		{ID: "old", Secret: "an older client state", NotAfter: clock}, {ID: "new", Secret: "secretClientValue"}}}, MinSecret)
	built(t, k, err)
	cases := map[string]Reason{
		`{"value":[{"clientState":"secretClientValue"}]}`:                                               "",
		`{"value":[{"clientState":"secretClientValue"},{"clientState":"an older client state"}]}`:       "",
		`{"value":[{"clientState":"secretClientValue"},{"clientState":"evil"}]}`:                        BadSecret,
		`{"value":[{"clientState":"evil"},{"clientState":"secretClientValue"}]}`:                        BadSecret,
		`{"value":[{"clientState":"secretClientValue"},{}]}`:                                            BadSecret,
		`{"value":[{"clientState":"secretClientValue"},{"clientState":null}]}`:                          BadSecret,
		`{"value":[{"ClientState":"secretClientValue"}]}`:                                               BadSecret,
		`{"value":[{"clientState":["secretClientValue"]},{"resource":{"clientState":"secretClient"}}]}`: BadSecret,
	}
	for _, body := range clientStateBodies {
		cases[body] = BadBody
	}
	for body, want := range cases {
		if _, got := k.verify(&Request{Body: []byte(body)}, clock); got != want {
			t.Errorf("%s: got %q; want %q", body, got, want)
		}
	}
	both := []byte(`{"value":[{"clientState":"secretClientValue"},{"clientState":"an older client state"},{"clientState":"secretClientValue"}]}`)
	if d, _ := k.verify(&Request{Body: both}, clock); len(d.Uses) != 2 {
		t.Errorf("used %v; want each key once", d.Uses)
	}
}
