package main

import (
	"net/http"
	"os"
	"strings"
	"syscall"
	"testing"

	"changerelay/internal/await"
	"changerelay/internal/natstest"
	"changerelay/internal/tracetest"
)

// The running program's log gets another level when its file does.
func TestTheLevelIsSwitchedAtRunTime(t *testing.T) {
	config := configure(t, natstest.Server(t).URL(), "127.0.0.1:0")
	text, err := os.ReadFile(config)
	if err != nil {
		t.Fatal(err)
	}
	write := func(level string) {
		t.Helper()
		if err := os.WriteFile(config, []byte("log: { level: "+level+" }\n"+string(text)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	p := command(config)
	out := &lines{}
	p.Stdout, p.Stderr = out, out
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Process.Kill() })
	eventually(t, out, "both listeners to answer", func() bool {
		return out.answers("/readyz", http.StatusOK) && out.answers("/v1/openapi.json", http.StatusOK)
	})
	const path = "/v1/openapi.json" // which the admin listener does not have
	asked := func() int { return strings.Count(out.String(), `"route":"`+path+`"`) }

	write("error")
	if err := p.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	eventually(t, out, "the level to rise", func() bool { return strings.Contains(out.String(), `"was":"INFO","is":"ERROR"`) })
	before := asked()
	for range 20 {
		if !out.answers(path, http.StatusOK) {
			t.Fatal("no answer")
		}
	}
	write("info") // nobody sends a signal: the file is looked at
	eventually(t, out, "the level to fall", func() bool { return strings.Contains(out.String(), `"was":"ERROR","is":"INFO"`) })
	if asked() > before {
		t.Errorf("a request has a line at level error\n%s", out)
	}
	eventually(t, out, "the line of a request", func() bool { return out.answers(path, http.StatusOK) && asked() > before })
	if err := p.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := p.Wait(); err != nil {
		t.Errorf("it ended with: %v\n%s", err, out)
	}
}

// The program sends its traces where the configuration says, and the last of them
// when it ends.
func TestTracesOfTheProgram(t *testing.T) {
	c := tracetest.New(t)
	config := configure(t, natstest.Server(t).URL(), "127.0.0.1:0")
	text, err := os.ReadFile(config)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(config, append(text, "tracing: { endpoint: \""+strings.TrimSuffix(c.URL, "/v1/traces")+"\", headers: { x-key: { file: secret } } }\n"...), 0o600); err != nil {
		t.Fatal(err)
	}
	p := command(config)
	p.Env = append(p.Env, "OTEL_RESOURCE_ATTRIBUTES=k8s.namespace.name=relay", "OTEL_SDK_DISABLED=true")
	out := &lines{}
	p.Stdout, p.Stderr = out, out
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Process.Kill() })
	eventually(t, out, "the listeners to answer", func() bool { return out.answers("/v1/openapi.json", http.StatusOK) })
	base := ""
	await.State(t, "a webhook to be answered", func() bool {
		for _, a := range out.addresses() {
			res, err := http.Post("http://"+a+"/v1/hooks/servicenow", "application/json", strings.NewReader("{}"))
			if err == nil {
				res.Body.Close()
				if res.StatusCode == http.StatusUnauthorized {
					base = a
				}
			}
		}
		return base != ""
	})
	if err := p.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := p.Wait(); err != nil {
		t.Errorf("it ended with: %v\n%s", err, out)
	}
	spans := c.Spans("POST /v1/hooks/{source}")
	if len(spans) != 1 || spans[0].Service["service.name"] != "changerelay-ingest" || spans[0].Service["k8s.namespace.name"] != "relay" || spans[0].Attrs["reason"] == "" {
		t.Fatalf("spans: %+v\n%s", spans, out)
	}
	if !strings.Contains(out.String(), `"trace":"`+spans[0].Trace+`"`) || c.Headers()[0].Get("X-Key") != "a-secret-of-some-length-not-for-logs" {
		t.Errorf("headers %v\n%s", c.Headers()[0], out)
	}
}
