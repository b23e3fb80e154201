// Package control is how netpol speaks with a running netpold: a unix stream
// socket, one JSON object a line each way, one answer a request.
//
// netpold calls Serve, netpol calls Dial. The socket belongs to the user that
// runs netpold and nobody else may connect; requests are small, answers are
// bounded, and clients that are slow, idle or too many are sent away, so a
// client can never hold the enforcer up.
package control
