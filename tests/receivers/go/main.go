// Command receiver serves a receiver of Aghanim's coupon.redeemed webhook on loopback, without or
// with a flaw.
//
//	AGHANIM_WEBHOOK_SECRET=… receiver --port 8103 --ledger ledger.jsonl
//
// The policy of this game:
//   - A bundle is opened: it grants its nested items, their quantities multiplied by the bundle's.
//   - Sandbox and test events are answered with 200 and grant nothing.
//   - A signature is valid if its timestamp is within five minutes of our clock.
//   - If there is no room for the main item, its fallback is granted.
//   - If the event has Items, they are granted, otherwise Item.
package main

import (
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"time"
)

const hookPath = "/webhooks/aghanim"

func main() {
	log.SetFlags(0)
	port := flag.Int("port", 0, "0 picks a free one")
	path := flag.String("ledger", "", "the ledger `file`")
	flaw := flag.String("flaw", "", "a mistake to show: "+flawNames())
	flag.Parse()
	secret := os.Getenv("AGHANIM_WEBHOOK_SECRET")
	if secret == "" {
		log.Fatal("AGHANIM_WEBHOOK_SECRET is not set or empty")
	}
	if *path == "" {
		log.Fatal("--ledger FILE is missing")
	}
	ledger, err := openLedger(*path)
	if err != nil {
		log.Fatal(err)
	}
	defer ledger.Close()
	hook := newWebhook([]byte(secret), ledger)
	if *flaw != "" {
		apply, ok := flaws[*flaw]
		if !ok {
			log.Fatalf("--flaw must be one of %s", flawNames())
		}
		apply(hook)
	}
	if err := serve(*port, hook); err != nil {
		log.Fatal(err)
	}
}

func serve(port int, hook *webhook) error {
	routes := http.NewServeMux()
	routes.Handle(hookPath, hook)
	routes.Handle(debugPath, &debug{hook.ledger, hook.scripted, hook.clock})
	listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		return err
	}
	fmt.Printf("listening on http://%s%s\n", listener.Addr(), hookPath)
	server := &http.Server{
		Handler:           routes,
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       30 * time.Second,
		WriteTimeout:      30 * time.Second,
		IdleTimeout:       2 * time.Minute,
	}
	return server.Serve(listener)
}
