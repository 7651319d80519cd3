package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"changerelay/internal/ingest/verify"
)

// Which header is missing is said, and which ones the sender may have meant.
func TestSourceCheckNamesTheMissingHeader(t *testing.T) {
	b := newBench(t)
	snow := b.request("snow", record)
	for name, c := range map[string]struct{ source, request, want string }{
		"another sender's": {"snow", strings.ReplaceAll(snow, "x-hmac-signature:", "x-hub-signature-256: sha256=0\r\nx-hub-signature:"),
			"missing  X-Hmac-Signature\nit has  X-Hub-Signature (preset jira or zammad), X-Hub-Signature-256 (preset github)\nadvice"},
		"misspelt":      {"snow", strings.ReplaceAll(snow, "x-hmac-signature:", "x-hmac-sig:"), "missing  X-Hmac-Signature\nit has  X-Hmac-Sig\nadvice"},
		"two of three":  {"desk", regexp.MustCompile(`(?m)^webhook-(id|timestamp): .*\r\n`).ReplaceAllString(b.request("desk", cloudEvent(t, "acme")), ""), "missing  Webhook-Id, Webhook-Timestamp\nit has  no header"},
		"empty":         {"snow", strings.ReplaceAll(snow, "x-hmac-signature: ", "x-hmac-signature: \r\nx-was: "), "missing  X-Hmac-Signature\nit has  no header"},
		"static secret": {"fresh", strings.ReplaceAll(b.request("fresh", "{}"), "authorization:", "x-token:"), "missing  Authorization\nit has  X-Token\nadvice"},
	} {
		got := b.check(c.source, c.request, "--at", at)
		if out := norm(got.out); got.code != 1 || !strings.Contains(out, c.want) {
			t.Errorf("%s: %d, no %q in\n%s", name, got.code, c.want, got.out)
		}
	}
	got := b.check("snow", strings.ReplaceAll(snow, "x-hmac-signature:", "x-hub-signature:"), "--at", at, "-o", "json")
	var o checkObject
	if err := json.Unmarshal([]byte(got.out), &o); err != nil || fmt.Sprint(o.Missing, o.Similar) != "[X-Hmac-Signature] [X-Hub-Signature]" {
		t.Errorf("%v, %s", err, got.out)
	}
	// Of another refusal nothing is guessed.
	if got := b.check("snow", strings.ReplaceAll(snow, "x-hmac-signature: ", "x-hub-signature: 1\r\nx-hmac-signature: 0"), "--at", at); strings.Contains(got.out, "missing ") || strings.Contains(got.out, "it has") {
		t.Errorf("printed\n%s", got.out)
	}
}

// Each check's headers are known: a request without any lacks them all.
func TestHeadersOfChecks(t *testing.T) {
	for want, c := range map[string]verify.Config{
		"[Content-Digest Content-Type Signature Signature-Input]": {HTTPSignature: &verify.HTTPSignature{}},
		"[Date Signature Signature-Input]":                        {HTTPSignature: &verify.HTTPSignature{Components: []string{"@method", "date"}}},
		"[Authorization]":                                         {Bearer: &verify.Bearer{}, Basic: &verify.Basic{}},
		"[X-Key]":                                                 {Header: &verify.Header{Name: "x-key"}},
		"[X-Slack-Request-Timestamp X-Slack-Signature]":           {Signature: &verify.Signature{Scheme: preset(t, "slack")}},
		"[Stripe-Signature]":                                      {Signature: &verify.Signature{Scheme: preset(t, "stripe")}},
		"[X-Hub-Signature-256]":                                   {Signature: &verify.Signature{Scheme: preset(t, "github")}}, // the id is not signed
		"[]":                                                      {SNS: &verify.SNS{}, Certificate: &verify.Certificate{}, ClientState: &verify.ClientState{}},
	} {
		if got := fmt.Sprint(lacking(c, http.Header{})); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

func preset(t *testing.T, name string) verify.Scheme {
	t.Helper()
	s, ok := verify.Preset(name)
	if !ok {
		t.Fatalf("there is no preset %s", name)
	}
	return s
}
