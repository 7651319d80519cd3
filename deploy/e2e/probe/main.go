// Command probe is what the end-to-end trial runs inside the cluster: a sender of
// signed webhooks, and a judge of what became of them.
//
//	load      sends events at a rate until its input ends, and then judges: every event that was
//	          answered 202 has one outcome, and each call to Graph did something new
//	send      sends one event and prints the answer
//	end       waits for an event's outcome and prints it
//	calls     prints what the simulator was told about a device
//	fault     has the simulator hold back its answer to the next call for a device
//	signal    sends a signal to a process of its own pod
//	wait      does nothing, until it is told to stop: the pod is there for kubectl exec
//
// It knows the documents alone (docs/events.md, docs/graphsim.md) and none of the
// relay's packages, so that a mistake there cannot agree with itself here.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "probe:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) == 0 {
		return errors.New("want a command")
	}
	f := flag.NewFlagSet(args[0], flag.ContinueOnError)
	r := newRelay()
	f.StringVar(&r.url, "url", r.url, "root of ingest")
	device, item := f.Int("device", 0, "number of the device; of the first one"), f.Int("item", 0, "number of the item")
	intent, forge := f.String("intent", "remove", "intent"), f.Bool("forge", false, "sign with another secret")
	rate := f.Int("rate", 50, "events a second")
	devices := f.Int("devices", 1, "how many devices to spread over")
	point := f.String("point", "before", "hold it back before or after the effect")
	once := f.Bool("once", false, "take 503 for an answer too, with its Retry-After")
	least := f.Int("least", 1, "how many events to send, even if the input has ended")
	if err := f.Parse(args[1:]); err != nil {
		return err
	}
	if *forge {
		r.secret = append([]byte("not "), r.secret...)
	}
	switch args[0] {
	case "load":
		return load(ctx, r, plan{*rate, *device, *devices, *least})
	case "send":
		return send(ctx, r, newEvent(*device, *item, *intent), *once)
	case "end":
		return end(ctx, r, f.Arg(0))
	case "calls":
		return showCalls(ctx, *device)
	case "fault":
		return holdBack(ctx, *device, *point)
	case "signal":
		return kill(f.Arg(0), f.Arg(1))
	case "wait":
		<-ctx.Done()
		return nil
	}
	return fmt.Errorf("there is no command %s", args[0])
}

// kill sends ABRT: the kernel keeps KILL from a pod's first process, and a Go program
// that is sent ABRT ends where it stands, without a word to anybody.
func kill(pid, name string) error {
	n, err := strconv.Atoi(pid)
	if err != nil || name != "ABRT" {
		return errors.New("want a process id and ABRT")
	}
	return syscall.Kill(n, syscall.SIGABRT)
}
