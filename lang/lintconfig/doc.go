// Package lintconfig reads .netpol-lint.hcl: which rules of netpol lint are on,
// how grave they are, and their options.
//
//	minimum_failure_severity = "warning"
//
//	rule "management-lockout" {
//	  networks = ["192.168.1.0/24"]
//	}
//
//	rule "idle-label" {
//	  level = "off"
//	}
//
// Which rules and options exist is for compiler/lint to say. Called by
// cmd/netpol; it may import hcl, lang and lang/diag.
package lintconfig
