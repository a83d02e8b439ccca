// lookup NAME: the same as lookup_libc, by Go's own resolver.
package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
)

func main() {
	if len(os.Args) != 2 {
		os.Exit(2)
	}
	resolver := net.Resolver{PreferGo: true}
	addresses, err := resolver.LookupIP(context.Background(), "ip4", os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		var failure *net.DNSError
		if errors.As(err, &failure) && failure.IsNotFound {
			os.Exit(1)
		}
		os.Exit(2)
	}
	for _, address := range addresses {
		fmt.Println(address)
	}
}
