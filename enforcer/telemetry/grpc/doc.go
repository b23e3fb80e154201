// Package grpc makes unary calls of gRPC over net/http's HTTP/2: a POST whose body is one
// message behind five bytes, and whose outcome stands in the trailers.
//
// It is not google.golang.org/grpc, which would add 2.5 MB to netpold and keep
// connections, resolve names and wait after failures by itself: the runner of a sink does
// that for all sinks, and its spool must know what has arrived. What is here follows
// the project's PROTOCOL-HTTP2.md and statuscodes.md.
//
// Called by telemetry/sink in a netpold that was built with sink_otlp. It imports nothing of netpol.
package grpc
