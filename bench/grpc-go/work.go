package main

import (
	"context"
	"sync/atomic"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// mebibyte is what each call hashes, as in bench/src/serve/work.rs.
const mebibyte = 1 << 20

// work computes, and counts calls.
type work struct {
	calls *atomic.Uint64
}

func (w *work) hash() uint64 {
	w.calls.Add(1)
	hash := uint64(0xcbf29ce484222325)
	for i := uint64(0); i < mebibyte; i++ {
		hash = (hash ^ i&0xff) * 0x100000001b3
	}
	return hash
}

// registerWork adds bench.v1.WorkService by hand: on the wire its requests are those of Empty, its responses those of UInt64Value.
func registerWork(server *grpc.Server, calls *atomic.Uint64) {
	methods := []string{"DoSheddable", "DoSheddablePlus", "DoCritical", "DoCriticalPlus"}
	description := grpc.ServiceDesc{ServiceName: "bench.v1.WorkService", HandlerType: (*any)(nil)}
	for _, name := range methods {
		description.Methods = append(description.Methods, grpc.MethodDesc{MethodName: name, Handler: handle(name)})
	}
	server.RegisterService(&description, &work{calls: calls})
}

func handle(name string) grpc.MethodHandler {
	return func(service any, ctx context.Context, decode func(any) error, interceptor grpc.UnaryServerInterceptor) (any, error) {
		request := new(emptypb.Empty)
		if err := decode(request); err != nil {
			return nil, err
		}
		answer := func(context.Context, any) (any, error) {
			return wrapperspb.UInt64(service.(*work).hash()), nil
		}
		if interceptor == nil {
			return answer(ctx, request)
		}
		info := &grpc.UnaryServerInfo{Server: service, FullMethod: "/bench.v1.WorkService/" + name}
		return interceptor(ctx, request, info, answer)
	}
}
