// Command e2e tries the chart on a real cluster: it installs the demo in a namespace of
// its own, and then upgrades, breaks, evicts, kills, reloads and removes it, under traffic.
// It prints a table, and ends with 1 if a step failed.
//
//	this machine                          the cluster, namespace changerelay-e2e
//	make image, twice; the broker;   ──►  ingest ×2, worker ×2, the broker, the simulator
//	probe/                                probe: sends, and judges what became of it
//	kubectl, helm ────────────────────►   one step after the other
//
// The traffic comes from the pod probe, by the Service: it survives what is done to the
// others, and nothing of this machine is in its way. What is judged is what other programs
// see: answers, OUTCOMES, and the simulator's journal of calls.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

const usage = `Tries the chart on the cluster of KUBECONFIG. Nothing is pulled: images are built here, and IMPORT
is the command that gives the cluster an image archive, whose path is appended to it.

    KUBECONFIG=~/.kube/kind IMPORT="kind load image-archive" make e2e
    KUBECONFIG=~/.kube/k3d  IMPORT="k3d image import" make e2e
    KUBECONFIG=node.yaml    IMPORT="ctr -n k8s.io images import" make e2e       on a node with containerd

Needs kubectl, and buildah or docker. It makes the namespace changerelay-e2e and removes it; nothing else is touched.

`

func main() {
	t := &trial{importer: os.Getenv("IMPORT")}
	flag.StringVar(&t.namespace, "namespace", "changerelay-e2e", "namespace to make")
	flag.StringVar(&t.helm, "helm", "helm", "helm")
	flag.StringVar(&t.kubectl, "kubectl", "kubectl", "kubectl")
	flag.StringVar(&t.only, "only", "", "run only steps with these words in their name, after the installation")
	flag.BoolVar(&t.keep, "keep", false, "leave the namespace as it is in the end")
	flag.Usage = func() { fmt.Fprint(os.Stderr, usage); flag.PrintDefaults() }
	flag.Parse()
	if os.Getenv("KUBECONFIG") == "" || t.importer == "" {
		fmt.Println("SKIPPED e2e: set KUBECONFIG to a cluster, and IMPORT to the command that loads an image archive into it (go run ./deploy/e2e -help)")
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := t.run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		os.Exit(1)
	}
}
