package main

import (
	"context"
	"fmt"
	"net"
	"sync/atomic"
	"time"

	"buf.build/go/protovalidate"
	prom "github.com/grpc-ecosystem/go-grpc-middleware/providers/prometheus"
	"github.com/grpc-ecosystem/go-grpc-middleware/v2/interceptors"
	"github.com/grpc-ecosystem/go-grpc-middleware/v2/interceptors/auth"
	validation "github.com/grpc-ecosystem/go-grpc-middleware/v2/interceptors/protovalidate"
	"github.com/grpc-ecosystem/go-grpc-middleware/v2/interceptors/recovery"
	"github.com/grpc-ecosystem/go-grpc-middleware/v2/interceptors/selector"
	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/google/uuid"
	"scribemed.example/bench/grpc-go/benchv1"
)

// echo sends back what it gets, and counts calls.
type echo struct {
	benchv1.UnimplementedBenchServiceServer
	calls atomic.Uint64
}

func (e *echo) Unary(_ context.Context, request *benchv1.UnaryRequest) (*benchv1.UnaryResponse, error) {
	e.calls.Add(1)
	return &benchv1.UnaryResponse{Payload: request.Payload}, nil
}

type requestIDKey struct{}

// identify gives each call a request id, that of its caller or a new one, and answers with it.
func identify(ctx context.Context, request any, _ *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
	id := ""
	if values := metadata.ValueFromIncomingContext(ctx, "x-request-id"); len(values) == 1 {
		if _, err := uuid.Parse(values[0]); err == nil {
			id = values[0]
		}
	}
	if id == "" {
		made, err := uuid.NewV7()
		if err != nil {
			return nil, status.Error(codes.Internal, err.Error())
		}
		id = made.String()
	}
	if err := grpc.SetHeader(ctx, metadata.Pairs("x-request-id", id)); err != nil {
		return nil, err
	}
	return handler(context.WithValue(ctx, requestIDKey{}, id), request)
}

func serve(listen string, identity *identity, validate bool) error {
	metrics := prom.NewServerMetrics(prom.WithServerHandlingTimeHistogram())
	registry := prometheus.NewRegistry()
	registry.MustRegister(metrics)
	// Health is open to everybody.
	guarded := selector.MatchFunc(func(_ context.Context, call interceptors.CallMeta) bool {
		return call.Service != healthpb.Health_ServiceDesc.ServiceName
	})
	authenticated := selector.UnaryServerInterceptor(auth.UnaryServerInterceptor(identity.authenticate), guarded)
	unary := []grpc.UnaryServerInterceptor{
		metrics.UnaryServerInterceptor(),
		identify,
		recovery.UnaryServerInterceptor(),
		authenticated,
	}
	if validate {
		validator, err := protovalidate.New(protovalidate.WithMessages(&benchv1.UnaryRequest{}))
		if err != nil {
			return fmt.Errorf("compiling the rules: %w", err)
		}
		unary = append(unary, validation.UnaryServerInterceptor(validator))
	}
	server := grpc.NewServer(
		grpc.ChainUnaryInterceptor(unary...),
		grpc.KeepaliveParams(keepalive.ServerParameters{Time: time.Minute, Timeout: 20 * time.Second}),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: 5 * time.Second}),
		grpc.MaxConcurrentStreams(200),
	)
	handler := &echo{}
	benchv1.RegisterBenchServiceServer(server, handler)
	registerWork(server, &handler.calls)
	state := health.NewServer()
	state.SetServingStatus(benchv1.BenchService_ServiceDesc.ServiceName, healthpb.HealthCheckResponse_SERVING)
	healthpb.RegisterHealthServer(server, state)
	metrics.InitializeMetrics(server)

	listener, err := net.Listen("tcp", listen)
	if err != nil {
		return err
	}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	if err := say(map[string]string{"address": listener.Addr().String()}); err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() {
		ended <- obey(func(asked order) (any, error) {
			if asked.Order != "usage" {
				return nil, fmt.Errorf("a server cannot do %q", asked.Order)
			}
			cpu, err := cpuNanoseconds()
			return map[string]any{"calls": handler.calls.Load(), "cpu_ns": cpu}, err
		})
	}()
	select {
	case err := <-failed:
		return err
	case err := <-ended:
		return err
	}
}
