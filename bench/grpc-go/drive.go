package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"sync"
	"time"

	"buf.build/go/protovalidate"
	"github.com/HdrHistogram/hdrhistogram-go"
	"github.com/google/uuid"
	prom "github.com/grpc-ecosystem/go-grpc-middleware/providers/prometheus"
	"github.com/grpc-ecosystem/go-grpc-middleware/v2/interceptors/timeout"
	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	_ "google.golang.org/grpc/health" // Makes healthCheckConfig work.
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"scribemed.example/bench/grpc-go/benchv1"
)

// serviceConfig is what the contract says, as far as grpc-go knows how.
const serviceConfig = `{
  "loadBalancingConfig": [{"round_robin": {}}],
  "healthCheckConfig": {"serviceName": "bench.v1.BenchService"},
  "retryThrottling": {"maxTokens": 100, "tokenRatio": 0.5},
  "methodConfig": [{
    "name": [{"service": "bench.v1.BenchService"}],
    "retryPolicy": {
      "maxAttempts": 3,
      "initialBackoff": "0.02s",
      "maxBackoff": "1s",
      "backoffMultiplier": 2,
      "retryableStatusCodes": ["UNAVAILABLE"]
    }
  }]
}`

const (
	resource = "transcriptions/0198c0de-0000-7000-8000-00000000abcd"
	pageSize = 50
	deadline = 30 * time.Second
)

// identifyCall sends a new request id and a new trace with each call, as a call that starts a request does.
func identifyCall(ctx context.Context, method string, request, reply any, conn *grpc.ClientConn,
	invoke grpc.UnaryInvoker, options ...grpc.CallOption) error {
	id, err := uuid.NewV7()
	if err != nil {
		return status.Error(codes.Internal, err.Error())
	}
	var trace [24]byte
	if _, err := rand.Read(trace[:]); err != nil {
		return status.Error(codes.Internal, err.Error())
	}
	parent := "00-" + hex.EncodeToString(trace[:16]) + "-" + hex.EncodeToString(trace[16:]) + "-01"
	ctx = metadata.AppendToOutgoingContext(ctx, "x-request-id", id.String(), "traceparent", parent)
	return invoke(ctx, method, request, reply, conn, options...)
}

// checkReply validates what the server answers.
func checkReply(validator protovalidate.Validator) grpc.UnaryClientInterceptor {
	return func(ctx context.Context, method string, request, reply any, conn *grpc.ClientConn,
		invoke grpc.UnaryInvoker, options ...grpc.CallOption) error {
		if err := invoke(ctx, method, request, reply, conn, options...); err != nil {
			return err
		}
		message, ok := reply.(proto.Message)
		if !ok {
			return status.Errorf(codes.Internal, "%T is no message", reply)
		}
		if err := validator.Validate(message); err != nil {
			return status.Error(codes.Internal, err.Error())
		}
		return nil
	}
}

func drive(target string, identity *identity, validate bool) error {
	tokens, err := newBearer(identity)
	if err != nil {
		return err
	}
	metrics := prom.NewClientMetrics(prom.WithClientHandlingTimeHistogram())
	registry := prometheus.NewRegistry()
	registry.MustRegister(metrics)
	unary := []grpc.UnaryClientInterceptor{
		metrics.UnaryClientInterceptor(),
		timeout.UnaryClientInterceptor(deadline),
		identifyCall,
	}
	if validate {
		validator, err := protovalidate.New(protovalidate.WithMessages(&benchv1.UnaryResponse{}))
		if err != nil {
			return fmt.Errorf("compiling the rules: %w", err)
		}
		unary = append(unary, checkReply(validator))
	}
	conn, err := grpc.NewClient("passthrough:///"+target,
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithPerRPCCredentials(tokens),
		grpc.WithDefaultServiceConfig(serviceConfig),
		grpc.WithChainUnaryInterceptor(unary...),
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: 10 * time.Second, Timeout: 5 * time.Second}),
	)
	if err != nil {
		return err
	}
	defer conn.Close()
	client := benchv1.NewBenchServiceClient(conn)
	return obey(func(asked order) (any, error) {
		if asked.Order != "load" || asked.Call != "unary" {
			return nil, fmt.Errorf("the peer in Go makes unary calls only, not %q %q", asked.Order, asked.Call)
		}
		return load(client, asked)
	})
}

// seen is what one of the loops saw.
type seen struct {
	latencies    []int64
	failed       uint64
	firstFailure *string
}

// load keeps so many calls in flight, and waits for the last of them.
func load(client benchv1.BenchServiceClient, asked order) (any, error) {
	payload := make([]byte, asked.Payload)
	before, err := cpuNanoseconds()
	if err != nil {
		return nil, err
	}
	start := time.Now()
	end := start.Add(time.Duration(asked.Millis) * time.Millisecond)
	loops := make([]seen, asked.InFlight)
	var running sync.WaitGroup
	for index := range loops {
		running.Add(1)
		go func() {
			defer running.Done()
			loops[index] = repeat(client, payload, end)
		}()
	}
	running.Wait()
	elapsed := time.Since(start)
	after, err := cpuNanoseconds()
	if err != nil {
		return nil, err
	}

	histogram := hdrhistogram.New(1, int64(time.Hour), 3)
	var failed uint64
	var first *string
	for _, loop := range loops {
		for _, latency := range loop.latencies {
			if err := histogram.RecordValue(latency); err != nil {
				return nil, err
			}
		}
		failed += loop.failed
		if first == nil {
			first = loop.firstFailure
		}
	}
	return map[string]any{
		"calls":         histogram.TotalCount(),
		"failed":        failed,
		"first_failure": first,
		"cpu_ns":        after - before,
		"elapsed_ns":    elapsed.Nanoseconds(),
		"p50_ns":        histogram.ValueAtQuantile(50),
		"p99_ns":        histogram.ValueAtQuantile(99),
	}, nil
}

func repeat(client benchv1.BenchServiceClient, payload []byte, end time.Time) seen {
	var saw seen
	ctx := context.Background()
	for start := time.Now(); start.Before(end); {
		reply, err := client.Unary(ctx, &benchv1.UnaryRequest{Name: resource, PageSize: pageSize, Payload: payload})
		if err == nil && len(reply.Payload) != len(payload) {
			err = status.Errorf(codes.DataLoss, "%d bytes were expected and %d came", len(payload), len(reply.Payload))
		}
		now := time.Now()
		saw.latencies = append(saw.latencies, now.Sub(start).Nanoseconds())
		if err != nil {
			saw.failed++
			if saw.firstFailure == nil {
				text := err.Error()
				saw.firstFailure = &text
			}
		}
		start = now
	}
	return saw
}
