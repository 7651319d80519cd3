package graph

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"
)

func TestShutGateLetsNothingPass(t *testing.T) {
	g := &gate{body: []byte("set"), late: func() bool { return false }}
	early, _ := g.reader()
	if passed, _ := g.close(); passed {
		t.Fatal("nothing was read, and yet it passed")
	}
	if n, err := early.Read(make([]byte, 3)); n != 0 || err == nil {
		t.Fatal("a shut gate let the body pass")
	}
}

func TestOpenGate(t *testing.T) {
	looks := 0
	g := &gate{body: []byte("set"), late: func() bool { looks++; return looks > 1 }}
	r, _ := g.reader()
	if b, err := io.ReadAll(r); string(b) != "set" || err != nil {
		t.Fatal("the deadline is for the start of the body, not for its end")
	}
	r, _ = g.reader() // the transport found the connection dead
	if _, err := r.Read(make([]byte, 3)); err != errLate {
		t.Fatalf("second reader: %v", err)
	}
	if passed, missed := g.close(); !passed || !missed {
		t.Fatal("what passed once stays in doubt")
	}
}

// A call that found no token may reach its turn when another has just got one.
func TestLateRequestFindsTheToken(t *testing.T) {
	asked := 0
	s := &tokens{now: time.Now, fetch: func(context.Context, string) (token, *Error) {
		asked++
		now := time.Now()
		return newToken("t", now, now.Add(time.Hour), time.Time{}), nil
	}}
	for range 2 {
		if value, err := s.renew("", ""); value != "t" || err != nil {
			t.Fatal(value, err)
		}
	}
	if asked != 1 {
		t.Errorf("%d requests, want 1", asked)
	}
}

func plain(text string, most int) string { return clean(text, most) }

func TestClean(t *testing.T) {
	const id = "2b7e1d52-9B1E-4d0e-8a52-3c1b7f0a1d01"
	for text, want := range map[string]string{
		id:                                      id,
		" " + id + "\n":                         id,
		"Bearer abc, then " + id:                "…, then " + id,
		"eyJhbGciOiJIUzI1NiJ9.eyJ.x said no":    "… said no",
		strings.Repeat("a1b2", 17):              "…",
		"my secret, cut here " + string('\x07'): "my …, cut here",
	} {
		if got := clean(text, 64, "secret"); got != want {
			t.Errorf("%q became %q, want %q", text, got, want)
		}
	}
	if got := clean(id, 64, id); got != "…" {
		t.Errorf("a secret that looks like an id became %q", got)
	}
	if got := clean(id, 10); got != id[:9]+"…" {
		t.Errorf("cut to %q", got)
	}
}

func FuzzErrorBody(f *testing.F) {
	f.Fuzz(func(t *testing.T, status int, header, body string) {
		d := parseDetail([]byte(body))
		code := findApprovalCode(header, d.message)
		if k := classify(status, d, code); k == "" || k == Unavailable && (status < 400 || status >= 500) {
			t.Errorf("%d is %q", status, k)
		}
		if wait := retryAfter(firstOf(header, d.retryAfter), time.Unix(1e9, 0)); wait < 0 || wait > maxRetryAfter {
			t.Errorf("wait %v", wait)
		}
		for _, text := range []string{clean(d.text(), maxMessage), clean(d.word(), maxWord)} {
			if len([]rune(text)) > maxMessage || strings.Contains(text, "eyJ") || strings.ContainsFunc(text, unicode.IsControl) {
				t.Errorf("not clean: %q", text)
			}
		}
	})
}

func FuzzResult(f *testing.F) {
	f.Fuzz(func(t *testing.T, body []byte) {
		r, err := decodeResult(body, plain)
		if (err != nil || !r.Shown) && len(r.Removed)+len(r.Restored) > 0 {
			t.Fatalf("items without a result: %+v", r)
		}
		byID := func(a, b Item) int { return strings.Compare(a.ID, b.ID) }
		if !slices.IsSortedFunc(r.Removed, byID) || !slices.IsSortedFunc(r.Restored, byID) {
			t.Errorf("not sorted: %+v", r)
		}
		seen := map[string]bool{}
		for _, i := range append(r.Removed, r.Restored...) {
			if i.ID == "" || i.ID != strings.ToLower(i.ID) || i.Type == "" || seen[i.ID] {
				t.Errorf("item %+v", i)
			}
			seen[i.ID] = true
		}
	})
}

// full is a set of as many items as Graph lists.
func full() []Item {
	var set []Item
	for range 30 {
		set = append(set, Item{newID(), "deviceManagementConfigurationPolicy"})
	}
	return set
}

func BenchmarkEncode(b *testing.B) {
	set := full()
	b.ReportAllocs()
	for b.Loop() {
		encode(set)
	}
}

func fullResult(t testing.TB) []byte {
	t.Helper()
	var items []map[string]any
	for _, i := range full() {
		items = append(items, map[string]any{
			"itemId": i.ID, "itemType": i.Type, "assignmentItemActionIntent": "remove", "assignmentItemActionStatus": "inProgress",
			"itemDisplayName": "Corporate VPN", "lastActionDateTime": "2026-11-23T10:00:00Z", "errorCode": 0,
		})
	}
	body, err := json.Marshal(map[string]any{"id": newID(), "deviceActionResults": []any{
		map[string]any{"@odata.type": "#microsoft.graph.changeAssignmentsActionResult", "deviceAssignmentItems": items},
	}})
	if err != nil {
		t.Fatal(err)
	}
	return body
}

func BenchmarkDecode(b *testing.B) {
	body := fullResult(b)
	b.ReportAllocs()
	b.SetBytes(int64(len(body)))
	for b.Loop() {
		if r, err := decodeResult(body, plain); err != nil || len(r.Removed) != 30 {
			b.Fatal(r, err)
		}
	}
}

// forbidden is a refusal in Intune's form.
const forbidden = `{"error":{"code":"Forbidden","message":"{\"_version\":3,\"Message\":\"Application is not authorized to perform this operation. Application must have one of the following scopes: DeviceManagementManagedDevices.PrivilegedOperations.All - Operation ID (for customer support): 00000000-0000-0000-0000-000000000000 - Activity ID: 1\",\"CustomApiErrorPhrase\":\"\",\"RetryAfter\":null}","innerError":{"date":"2026-11-23T10:00:00","request-id":"1","client-request-id":"2"}}}`

func BenchmarkClassify(b *testing.B) {
	body := []byte(forbidden)
	b.ReportAllocs()
	for b.Loop() {
		d := parseDetail(body)
		if classify(403, d, "") != Denied {
			b.Fatal(d)
		}
		clean(d.text(), maxMessage, "a token")
	}
}

func FuzzChallenge(f *testing.F) {
	for _, line := range []string{
		`Bearer error="insufficient_claims", claims="eyJhIjoxfQ=="`, `Bearer claims="e30", error="insufficient_claims"`,
		`Bearer error="invalid_token", claims="e30"`, `Bearer error="insufficient_claims", claims="W10="`, `Negotiate, Bearer realm="x"`, "",
	} {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, line string) {
		claims := challenge(http.Header{"Www-Authenticate": {line}})
		var object map[string]any
		if claims != "" && (json.Unmarshal([]byte(claims), &object) != nil || len(claims) > maxClaims) {
			t.Errorf("%q would be sent as claims", claims)
		}
	})
}

func FuzzPEM(f *testing.F) {
	f.Add([]byte("-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n"))
	f.Add([]byte("-----BEGIN RSA PRIVATE KEY-----\nDEK-Info: x\n\nMAA=\n-----END RSA PRIVATE KEY-----\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := parsePEM(data)
		if err == nil && (p.key == nil || len(p.chain) == 0 || !p.key.PublicKey.Equal(p.chain[0].PublicKey)) {
			t.Errorf("a pair that is none: %+v", p)
		}
	})
}

// What a call costs us beside net/http, with 30 items: measured were 6, 176 and
// 33 objects. The bounds leave room for the race detector, which makes more.
func TestAllocations(t *testing.T) {
	set, body := full(), fullResult(t)
	for name, f := range map[string]struct {
		most float64
		run  func()
	}{
		"encode":   {12, func() { encode(set) }},
		"decode":   {260, func() { _, _ = decodeResult(body, plain) }},
		"classify": {60, func() { classify(403, parseDetail([]byte(forbidden)), "") }},
	} {
		if got := testing.AllocsPerRun(100, f.run); got > f.most {
			t.Errorf("%s: %.0f allocations, want at most %.0f", name, got, f.most)
		}
	}
}
