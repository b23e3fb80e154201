// Package lint finds what is allowed but probably not meant: policies that
// shadow each other, weak evidence used to drop traffic, marks that collide
// with other programs. A rule is a file: its stable id, what it looks at, its
// message; its cases stand in testdata, its page in docs/lint.
//
// What a rule says of flows is proven over all flows (package flowspace) and
// shown with a flow that was tried on the conditions themselves.
//
// Rules read lang, lang/outline and compiler/ir. Called by cmd/netpol; it may
// import those, lang/diag, lang/fact, lang/lintconfig, compiler/artifact and
// its own subpackages. Mistakes that stop a compile are not lint: they belong
// to lang and resolve.
package lint
