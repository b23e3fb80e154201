// Package top is the screen of netpol top: what applications, hosts, connections and
// policies carry now, as netpold adds it up, for a person at a terminal and, row by
// row, for scripts.
//
// Called by cmd/netpol/internal/cli, which asks netpold. It prints what view has made
// safe for a terminal.
package top
