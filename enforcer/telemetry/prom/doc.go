// Package prom writes figures in Prometheus's text format, version 0.0.4, and serves
// them to who scrapes or leaves them in a file for node_exporter.
//
// It speaks as much of HTTP as a scrape is: one GET a connection. net/http would add
// 5.8 MB to netpold, which fits into 12.
//
// Called by cmd/netpold/daemon, which knows the figures. It imports the standard
// library only.
package prom
