package deploy

import (
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"changerelay/internal/await"
)

const (
	imageName  = "localhost/changerelay-test:1"
	brokerName = "localhost/changerelay-test-nats:1"
	mostBytes  = 40_000_000 // of the image, as it lies on a node's disk
)

// The demo's pods, run as the chart says they are run: the same commands, files, user and
// bounds, with a root that nobody can write to, no capabilities and no way to new ones.
// What is not here is Kubernetes: probes are asked by the test, names are the network's.
func TestImageInContainers(t *testing.T) {
	if os.Getenv("CHANGERELAY_IMAGE_TEST") == "" {
		t.Skip("SKIPPED: make image-check asks for it")
	}
	buildImage(t)
	p := newPodman(t)
	all := objects(t, "demo", append(sets["demo"], "--set", "demo.nats.image="+brokerName, "--set", "image.repository="+strings.TrimSuffix(imageName, ":1"), "--set-string", "image.tag=1")...)
	p.unpack(all)
	p.start("changerelay-demo-nats", all["StatefulSet/changerelay-demo-nats"].at("spec.template.spec"))
	p.start("changerelay-demo-graph", all["StatefulSet/changerelay-demo-graph"].at("spec.template.spec"))
	p.start("demo-changerelay-worker", all["Deployment/demo-changerelay-worker"].at("spec.template.spec"))
	p.start("demo-changerelay-ingest.relay.svc", all["Deployment/demo-changerelay-ingest"].at("spec.template.spec"))
	for name, words := range map[string]string{"demo-changerelay-worker": "changerelay_reconcile_duration_seconds", "demo-changerelay-ingest.relay.svc": "changerelay_ingest_requests_total"} {
		for path, want := range map[string]string{"/healthz": "", "/readyz": "", "/metrics": words} {
			await.State(t, name+" to answer "+path, func() bool { return p.answers(name, 8081, path, want) })
		}
	}
	// The helm test's own pod, but for the port: there is no Service before ingest.
	send := all["Pod/demo-changerelay-test-send"].at("spec").(map[string]any)
	out := p.run(send, ".svc:80", ".svc:8080")
	if !strings.Contains(out, "accepted") {
		t.Errorf("the event's outcome: %s", out)
	}
	if !p.answers("changerelay-demo-graph", 8444, "/journal", "33333333-3333-4333-8333-333333333333") {
		t.Error("Graph was not told")
	}
	for _, name := range []string{"demo-changerelay-worker", "demo-changerelay-ingest.relay.svc"} {
		p.podman("stop", "--time", "60", p.id(name)) // SIGTERM
		if code := strings.TrimSpace(p.podman("inspect", "--format", "{{.State.ExitCode}}", p.id(name))); code != "0" {
			t.Errorf("%s ended with %s", name, code)
		}
	}
}

// The README's values and nothing else, with a broker of three servers at the name that
// they say: every pod becomes ready.
func TestImageOfTheReadme(t *testing.T) {
	if os.Getenv("CHANGERELAY_IMAGE_TEST") == "" {
		t.Skip("SKIPPED: make image-check asks for it")
	}
	buildImage(t)
	p := newPodman(t)
	for i := range 3 {
		p.broker(fmt.Sprintf("n%d", i))
	}
	all := objects(t, "changerelay", append(sets["changerelay"], "--set", "image.repository="+strings.TrimSuffix(imageName, ":1"), "--set-string", "image.tag=1")...)
	all["Secret/changerelay-tenants"] = object{"kind": "Secret", "stringData": map[string]any{"acme": "a client secret"}}
	all["Secret/changerelay-sources"] = object{"kind": "Secret", "stringData": map[string]any{"desk": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}}
	p.unpack(all)
	for _, name := range []string{"changerelay-worker", "changerelay-ingest"} {
		p.start(name, all["Deployment/"+name].at("spec.template.spec"))
	}
	for _, name := range []string{"changerelay-worker", "changerelay-ingest"} {
		await.State(t, name+" to be ready", func() bool { return p.answers(name, 8081, "/readyz", "") })
	}
}

// broker starts one server of three.
func (p *podman) broker(name string) {
	p.podman("run", "--detach", "--name", p.id(name), "--network", p.network, "--network-alias", name, "--network-alias", "nats.nats.svc",
		"--mount", "type=tmpfs,destination=/data", brokerName, "--jetstream", "--store_dir", "/data", "--server_name", name,
		"--cluster_name", "test", "--cluster", "nats://0.0.0.0:6222", "--routes", "nats://n0:6222,nats://n1:6222,nats://n2:6222")
	p.t.Cleanup(func() { p.podman("rm", "--force", "--time", "1", p.id(name)) })
}

// buildImage makes the image twice, from nothing each time, and wants the same.
func buildImage(t *testing.T) {
	t.Helper()
	var ids []string
	for range 2 {
		must(t, "..", "make", "image", "IMAGE="+imageName, "VERSION=v0.0.0-test")
		ids = append(ids, strings.TrimSpace(must(t, "..", "buildah", "images", "--no-trunc", "--format", "{{.ID}}", imageName)))
	}
	if ids[0] != ids[1] {
		t.Errorf("two builds made %s and %s", ids[0], ids[1])
	}
	size, err := strconv.Atoi(strings.TrimSpace(must(t, "..", "podman", "image", "inspect", "--format", "{{.Size}}", imageName)))
	if err != nil || size > mostBytes {
		t.Errorf("the image has %d bytes (%v), want at most %d", size, err, mostBytes)
	}
	t.Logf("image %s, %d bytes", ids[0], size)
	dir := t.TempDir()
	must(t, "..", "env", "CGO_ENABLED=0", "go", "build", "-trimpath", "-o", dir+"/nats-server", "github.com/nats-io/nats-server/v2")
	if err := os.WriteFile(dir+"/Dockerfile", []byte("FROM scratch\nCOPY nats-server /nats-server\nENTRYPOINT [\"/nats-server\"]\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	must(t, dir, "buildah", "build", "--quiet", "--tag", brokerName, ".")
}

func must(t *testing.T, dir, name string, args ...string) string {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	var complaints strings.Builder
	cmd.Stderr = &complaints
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s%s", name, strings.Join(args, " "), err, out, complaints.String())
	}
	return string(out)
}

// A podman runs pods on a network of its own.
type podman struct {
	t            *testing.T
	dir, network string
}

func newPodman(t *testing.T) *podman {
	p := &podman{t: t, dir: t.TempDir(), network: fmt.Sprintf("changerelay-test-%d", os.Getpid())}
	conf := filepath.Join(p.dir, "containers.conf")
	text := "[containers]\ndefault_ulimits = [\"nofile=4096:4096\",\"nproc=4096:4096\"]\n[engine]\nruntime = \"runc\"\ncgroup_manager = \"cgroupfs\"\nevents_logger = \"file\"\n"
	if err := os.WriteFile(conf, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	if os.Getenv("CONTAINERS_CONF") == "" { // a machine without systemd needs these
		t.Setenv("CONTAINERS_CONF", conf)
	}
	p.podman("network", "create", p.network)
	t.Cleanup(func() { p.podman("network", "rm", "--force", p.network) })
	if err := os.Chmod(p.dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return p
}

func (p *podman) podman(args ...string) string { return must(p.t, ".", "podman", args...) }

// unpack writes the files of Secrets and ConfigMaps, a folder each.
func (p *podman) unpack(all map[string]object) {
	for name, o := range all {
		for _, part := range []string{"data", "stringData"} {
			files, _ := o.at(part).(map[string]any)
			for file, text := range files {
				data := []byte(text.(string))
				if part == "data" && o["kind"] == "Secret" {
					data, _ = base64.StdEncoding.DecodeString(text.(string))
				}
				path := filepath.Join(p.dir, name, file)
				if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
					p.t.Fatal(err)
				}
				if err := os.WriteFile(path, data, 0o644); err != nil {
					p.t.Fatal(err)
				}
			}
		}
	}
}

// flags are those that a pod's one container is run with.
func (p *podman) flags(pod object) (flags []string) {
	c := list(pod.at("containers"))[0]
	user, memory := c.text("securityContext.runAsUser"), strings.Trim(c.text("resources.limits.memory"), `"`)
	flags = []string{"--network", p.network, "--user", user + ":" + user, "--memory", strings.ToLower(strings.TrimSuffix(memory, "i")), "--security-opt", "no-new-privileges", "--cap-drop", "all"}
	if c.text("securityContext.readOnlyRootFilesystem") == "true" {
		flags = append(flags, "--read-only", "--read-only-tmpfs=false")
	}
	for _, m := range list(c.at("volumeMounts")) {
		for _, v := range list(pod.at("volumes")) {
			if v.text("name") != m.text("name") {
				continue
			}
			to := m.at("mountPath").(string)
			switch {
			case v.at("secret") != nil:
				flags = append(flags, "--volume", filepath.Join(p.dir, "Secret", v.at("secret.secretName").(string))+":"+to+":ro")
			case v.at("configMap") != nil:
				flags = append(flags, "--volume", filepath.Join(p.dir, "ConfigMap", v.at("configMap.name").(string))+":"+to+":ro")
			default:
				flags = append(flags, "--mount", "type=tmpfs,destination="+to+",tmpfs-mode=1777")
			}
		}
	}
	if command := words(c.at("command")); len(command) > 0 {
		flags = append(flags, "--entrypoint", command[0])
	}
	return flags
}

// line is what comes after the flags: the image, and the command's words.
func line(pod object) []string {
	c := list(pod.at("containers"))[0]
	after := []string{c.at("image").(string)}
	if command := words(c.at("command")); len(command) > 1 {
		after = append(after, command[1:]...)
	}
	return append(after, words(c.at("args"))...)
}

func words(v any) (all []string) {
	items, _ := v.([]any)
	for _, item := range items {
		all = append(all, fmt.Sprint(item))
	}
	return all
}

func (p *podman) id(name string) string { return p.network + "-" + name }

// start runs a pod's container under a name of the network.
func (p *podman) start(name string, pod any) {
	o := object(pod.(map[string]any))
	args := append([]string{"run", "--detach", "--name", p.id(name), "--network-alias", name}, p.flags(o)...)
	p.podman(append(args, line(o)...)...)
	p.t.Cleanup(func() {
		if p.t.Failed() {
			out, _ := exec.Command("podman", "logs", p.id(name)).CombinedOutput()
			p.t.Logf("%s: %s", name, out)
		}
		p.podman("rm", "--force", "--time", "1", p.id(name))
	})
}

// run runs a pod to its end, with one word of its arguments replaced.
func (p *podman) run(pod object, old, with string) string {
	after := line(pod)
	for i := range after {
		after[i] = strings.Replace(after[i], old, with, 1)
	}
	return p.podman(append(append([]string{"run", "--rm"}, p.flags(pod)...), after...)...)
}

// answers reports whether a container answers 200, with words in the body.
func (p *podman) answers(name string, port int, path, want string) bool {
	ip := strings.TrimSpace(p.podman("inspect", "--format", "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}", p.id(name)))
	r, err := http.Get(fmt.Sprintf("http://%s:%d%s", ip, port, path))
	if err != nil {
		return false
	}
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	return err == nil && r.StatusCode == http.StatusOK && strings.Contains(string(body), want)
}
