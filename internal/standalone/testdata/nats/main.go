// Command nats stands in for the nats command line in the test of the manual's
// shell snippet. Of that it has one command, and of its flags one:
//
//	nats req SUBJECT BODY [-H NAME:VALUE]...
//
// It connects by the same environment, publishes through the same client library
// and prints the answer.
package main

import (
	"fmt"
	"log"
	"os"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
)

func main() {
	log.SetFlags(0)
	args := os.Args[1:]
	if len(args) < 3 || args[0] != "req" {
		log.Fatalf("this stand-in has only req SUBJECT BODY, not %q", args)
	}
	m := &nats.Msg{Subject: args[1], Data: []byte(args[2]), Header: nats.Header{}}
	for flags := args[3:]; len(flags) > 0; flags = flags[2:] {
		if len(flags) < 2 || flags[0] != "-H" {
			log.Fatalf("this stand-in has only -H NAME:VALUE, not %q", flags)
		}
		name, value, ok := strings.Cut(flags[1], ":")
		if !ok {
			log.Fatalf("%q is not NAME:VALUE", flags[1])
		}
		m.Header[name] = append(m.Header[name], strings.TrimSpace(value))
	}
	nc, err := nats.Connect(os.Getenv("NATS_URL"), nats.RootCAs(os.Getenv("NATS_CA")), nats.ClientCert(os.Getenv("NATS_CERT"), os.Getenv("NATS_KEY")))
	if err != nil {
		log.Fatal(err)
	}
	answer, err := nc.RequestMsg(m, 5*time.Second)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s\n", answer.Data)
}
