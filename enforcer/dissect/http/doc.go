// Package http dissects HTTP/1.x (RFC 9112): the host and the user agent of
// the first request, by the request or, when only the server is seen, the
// response line; and recognises the preface of HTTP/2 without TLS (RFC 9113).
//
// It reads as lenient servers do, not as strict ones, for a client picks its
// spelling to suit the server and to confuse an inspector. dissect/all lists
// it. It imports dissect, fact and the standard library.
package http
