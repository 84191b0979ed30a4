"""Calls a method once with grpcio, as a service config says; prints the name of the code that it ends with.

Usage: call.py ADDRESS SERVICE_CONFIG_FILE PATH
"""

import pathlib
import sys

import grpc

address, config, path = sys.argv[1:]
options = [
    ("grpc.service_config", pathlib.Path(config).read_text(encoding="utf-8")),
    # The config is that of the contract, and not one from a name server.
    ("grpc.service_config_disable_resolution", 1),
]
with grpc.insecure_channel(address, options=options) as channel:
    method = channel.unary_unary(path, request_serializer=bytes, response_deserializer=bytes)
    try:
        method(b"")
        print("OK")
    except grpc.RpcError as error:
        print(error.code().name)
