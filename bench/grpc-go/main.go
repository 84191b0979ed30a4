// Command grpc-go is the peer of scribemed-bench in Go: the same contract and the same features on grpc-go with
// go-grpc-middleware. It is started and ordered about by scribemed-bench, one JSON object a line, as bench/src/order.rs
// describes.
//
//	grpc-go serve --key key.pem
//	grpc-go drive --key key.pem --target 127.0.0.1:50051
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"syscall"
)

// order is what standard input asks for.
type order struct {
	Order    string `json:"order"`
	Call     string `json:"call"`
	Payload  int    `json:"payload"`
	InFlight int    `json:"in_flight"`
	Millis   int64  `json:"millis"`
}

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) == 0 {
		return fmt.Errorf("say `serve` or `drive`")
	}
	flags := flag.NewFlagSet(args[0], flag.ContinueOnError)
	key := flags.String("key", "", "the file of the Ed25519 key that signs and verifies tokens")
	target := flags.String("target", "", "drive: whom to call, host:port")
	listen := flags.String("listen", "127.0.0.1:0", "serve: where to listen")
	validate := flags.Bool("validate", true, "whether messages are checked with protovalidate")
	if err := flags.Parse(args[1:]); err != nil {
		return err
	}
	identity, err := loadIdentity(*key)
	if err != nil {
		return fmt.Errorf("reading the key: %w", err)
	}
	switch args[0] {
	case "serve":
		return serve(*listen, identity, *validate)
	case "drive":
		return drive(*target, identity, *validate)
	default:
		return fmt.Errorf("%q is unknown; say `serve` or `drive`", args[0])
	}
}

// obey answers each order until standard input ends.
func obey(answer func(order) (any, error)) error {
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		var asked order
		if err := json.Unmarshal(lines.Bytes(), &asked); err != nil {
			return fmt.Errorf("%s is no order: %w", lines.Text(), err)
		}
		told, err := answer(asked)
		if err != nil {
			return err
		}
		if err := say(told); err != nil {
			return err
		}
	}
	return lines.Err()
}

func say(told any) error {
	return json.NewEncoder(os.Stdout).Encode(told)
}

// cpuNanoseconds is the user and system time of this process so far.
func cpuNanoseconds() (int64, error) {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return 0, fmt.Errorf("reading the CPU time of the process: %w", err)
	}
	return usage.Utime.Nano() + usage.Stime.Nano(), nil
}
