package grpc

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"google.golang.org/protobuf/encoding/protowire"
)

// Code is the outcome of a call (statuscodes.md).
type Code uint32

// Codes.
const (
	OK Code = iota
	Cancelled
	Unknown
	InvalidArgument
	DeadlineExceeded
	NotFound
	AlreadyExists
	PermissionDenied
	ResourceExhausted
	FailedPrecondition
	Aborted
	OutOfRange
	Unimplemented
	Internal
	Unavailable
	DataLoss
	Unauthenticated
)

// String is the code's name, as gRPC's documents and collectors' logs have it.
func (c Code) String() string {
	names := [...]string{
		"OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED",
		"FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS", "UNAUTHENTICATED",
	}
	if int(c) < len(names) {
		return names[c]
	}
	return fmt.Sprintf("code %d", uint32(c))
}

// Status is what a server says of a call.
type Status struct {
	Code    Code
	Message string // of a server: not to be trusted, and at most maxMessage bytes
	// RetryAfter is how long the client is to wait before it calls again, if Retry says
	// that the server asks it to (google.rpc.RetryInfo).
	RetryAfter time.Duration
	Retry      bool
	// Foreign says that the answer is none of gRPC's, but of a server of HTTP.
	Foreign bool
}

// maxMessage bounds what is kept of a server's text.
const maxMessage = 300

// statusOf reads the outcome from trailers, or from the headers of an answer that has
// only these; false where it is in neither.
func statusOf(h http.Header) (Status, bool) {
	word := h.Get("Grpc-Status")
	if word == "" {
		return Status{}, false
	}
	n, err := strconv.ParseUint(word, 10, 32)
	if err != nil {
		return Status{Code: Unknown, Message: fmt.Sprintf("no status: %q", cut(word))}, true
	}
	s := Status{Code: Code(n), Message: cut(unescape(h.Get("Grpc-Message")))}
	s.RetryAfter, s.Retry = retryInfo(h.Get("Grpc-Status-Details-Bin"))
	return s, true
}

// ofHTTP is the code that a status of HTTP stands for where no server of gRPC has
// answered (http-grpc-status-mapping.md).
func ofHTTP(status int) Code {
	switch status {
	case http.StatusBadRequest:
		return Internal
	case http.StatusUnauthorized:
		return Unauthenticated
	case http.StatusForbidden:
		return PermissionDenied
	case http.StatusNotFound:
		return Unimplemented
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return Unavailable
	}
	return Unknown
}

// unescape takes back the percent-encoding of grpc-message; a text that is not encoded
// well stays as it is.
func unescape(s string) string {
	if text, err := url.PathUnescape(s); err == nil {
		return text
	}
	return s
}

func cut(s string) string {
	if len(s) > maxMessage {
		s = s[:maxMessage]
	}
	return strings.ToValidUTF8(s, "?")
}

// Numbers of fields in google/rpc/status.proto and error_details.proto, and in
// google/protobuf/any.proto and duration.proto.
const (
	statusDetails   = 3
	anyType         = 1
	anyValue        = 2
	retryDelay      = 1
	durationSeconds = 1
	durationNanos   = 2
)

// retryInfo is the delay that the details of a status ask for: base64, with or without
// padding, of a google.rpc.Status.
func retryInfo(details string) (time.Duration, bool) {
	status, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(details, "="))
	if err != nil {
		return 0, false
	}
	for one := range fields(status, statusDetails) {
		for name := range fields(one.bytes, anyType) {
			if !strings.HasSuffix(string(name.bytes), "/google.rpc.RetryInfo") {
				continue
			}
			for value := range fields(one.bytes, anyValue) {
				return delayIn(value.bytes), true
			}
			return 0, true // a message of defaults is empty, and so is its field
		}
	}
	return 0, false
}

// delayIn is the delay of a google.rpc.RetryInfo, not below 0.
func delayIn(info []byte) time.Duration {
	for d := range fields(info, retryDelay) {
		var seconds, nanos int64
		for f := range fields(d.bytes, durationSeconds) {
			seconds = int64(f.number)
		}
		for f := range fields(d.bytes, durationNanos) {
			nanos = int64(f.number)
		}
		seconds = min(max(seconds, 0), int64(24*time.Hour/time.Second)) // so that it can be multiplied
		return max(time.Duration(seconds)*time.Second+time.Duration(min(nanos, int64(time.Second))), 0)
	}
	return 0
}

// field is a field of a message.
type field struct {
	bytes  []byte // of one with a length
	number uint64 // of a varint
}

// fields walks over the fields of a message that have a number, until what is none.
func fields(message []byte, wanted protowire.Number) func(yield func(field) bool) {
	return func(yield func(field) bool) {
		for len(message) > 0 {
			number, kind, n := protowire.ConsumeTag(message)
			if n < 0 {
				return
			}
			message = message[n:]
			var f field
			switch kind {
			case protowire.BytesType:
				f.bytes, n = protowire.ConsumeBytes(message)
			case protowire.VarintType:
				f.number, n = protowire.ConsumeVarint(message)
			default:
				n = protowire.ConsumeFieldValue(number, kind, message)
			}
			if n < 0 || number == wanted && !yield(f) {
				return
			}
			message = message[n:]
		}
	}
}
