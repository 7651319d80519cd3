package main

import "testing"

// A mistake is answered with the field and the remedy.
func TestMistakesNameTheRemedy(t *testing.T) {
	r := newRig(t)
	for _, c := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"statsu"}, 2, `unexpected argument statsu, did you mean "status"?`},
		{[]string{"doctor", "--deeep"}, 2, `unknown flag --deeep, did you mean "--deep"?`},
		{[]string{"send", "--json"}, 2, "unknown flag --json"},
		{[]string{"status", "--output", "yaml", "CHG1"}, 2, `--output must be one of "text","json" but got "yaml"`},
		{[]string{"doctor", "--config", "/none.yaml"}, 1, "there is no file /none.yaml; name another with --config"},
		{[]string{"device", "acme", "phone"}, 1, `<id>: "phone" is not an Intune device id; want one such as `},
		{[]string{"device", "initech", phone}, 1, `there is no tenant "initech" in ` + r.config + "; it has acme, globex"},
		{[]string{"tenants", "resum"}, 1, `there is no tenant "resum"`},
		{[]string{"source", "check", "--source", "desk", "--request", "/none"}, 1, "--request: open /none: no such file"},
		{[]string{"audit", "list", "--since", "yesterday"}, 2, `--since: "yesterday" is not an age; write it like 90m, 24h or 7d`},
	} {
		r.run(c.args...).fails(t, c.code, "relayctl: ", c.want)
	}
	for _, c := range [][]string{{"dead", "list"}, {"dead", "list", "--open"}, {"audit", "list"}} {
		r.run(append(c, "--tenant", "initech")...).has(t, `; there is no tenant "initech" in `+r.config+"; it has acme, globex")
	}
	r.broker.Stop()
	for _, c := range [][]string{{"tenants"}, {"dead", "list"}, {"audit", "list"}, {"device", "acme", phone, "--no-graph"}} {
		r.run(c...).fails(t, 1, "the broker does not answer at "+r.broker.URL()+": no connection within 2s; is it there? nats.url in the configuration names it")
	}
}

// The exit codes are where a newcomer looks for them.
func TestHelpSaysTheExitCodes(t *testing.T) {
	runWith(t, "", "--help").has(t, "The exit code is 0 if")
	for _, command := range [][]string{{"send"}, {"status"}, {"device"}, {"doctor"}, {"tenants", "resume"}, {"source", "check"}} {
		runWith(t, "", append(command, "--help")...).has(t, "exit")
	}
}
