package tracing

import (
	"strings"
	"testing"
)

func TestExtract(t *testing.T) {
	const good = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
	for name, c := range map[string]struct {
		header map[string][]string
		want   string
		known  bool
	}{
		"as we write it":  {map[string][]string{"traceparent": {good}}, good, true},
		"as HTTP does":    {map[string][]string{"Traceparent": {good}}, good, true},
		"other flags":     {map[string][]string{"traceparent": {good[:53] + "03"}}, good, true},
		"a later version": {map[string][]string{"traceparent": {"01" + good[2:] + "-more"}}, good, true},
		"not sampled":     {map[string][]string{"traceparent": {good[:53] + "00"}}, "", true},
		"none":            {nil, "", false},
		"two":             {map[string][]string{"traceparent": {good, good}}, "", false},
		"zero":            {map[string][]string{"traceparent": {"00-" + strings.Repeat("0", 32) + "-00f067aa0ba902b7-01"}}, "", false},
		"upper case":      {map[string][]string{"traceparent": {strings.ToUpper(good)}}, "", false},
		"short":           {map[string][]string{"traceparent": {good[:54]}}, "", false},
		"long":            {map[string][]string{"traceparent": {"01" + good[2:] + "-" + strings.Repeat("m", 300)}}, "", false},
	} {
		if got, known := Extract(c.header); got != c.want || known != c.known {
			t.Errorf("%s: %q, %t", name, got, known)
		}
	}
}

// Whatever a stranger writes, what is kept of it is a traceparent of version 00.
func FuzzExtract(f *testing.F) {
	for _, s := range []string{"", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
		"cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-03-x", "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01", strings.Repeat("-", 400)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, _ := Extract(map[string][]string{Header: {s}})
		if got == "" {
			return
		}
		again, known := Extract(map[string][]string{Header: {got}})
		if len(got) != 55 || !known || again != got || len(IDOf(got)) != 32 || strings.Trim(IDOf(got), "0123456789abcdef") != "" {
			t.Errorf("%q became %q, and that %q", s, got, again)
		}
	})
}

// FuzzRejected reads what a collector may answer.
func FuzzRejected(f *testing.F) {
	f.Add([]byte{0x0a, 0x02, 0x08, 0x07})
	f.Add([]byte{0x0a, 0x09, 0x08, 0x03, 0x12, 0x05, 'n', 'o', 'p', 'e', '!'})
	f.Add([]byte{0x0a, 0xff})
	f.Fuzz(func(t *testing.T, reply []byte) {
		if n := rejected(reply); n < 0 || n > batchMost {
			t.Errorf("%d spans", n)
		}
	})
}

func TestRejected(t *testing.T) {
	for reply, want := range map[string]int{
		"": 0, "\x0a\x00": 0, "\x0a\x02\x08\x07": 7, "\x12\x01a\x0a\x04\x12\x00\x08\x03": 3, "<html>": 0, "\x0a\x0b\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01": batchMost,
	} {
		if got := rejected([]byte(reply)); got != want {
			t.Errorf("%q: %d, want %d", reply, got, want)
		}
	}
}
