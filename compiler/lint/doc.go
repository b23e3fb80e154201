// Package lint will find what is allowed but probably not meant: policies that
// shadow each other, weak evidence used to drop traffic, marks that collide
// with other programs. A rule is a file: its stable id, what it looks at, its
// message; its test and golden stand beside it, its page in docs.
//
// Rules read lang and compiler/ir and may import those and lang/diag only.
// Mistakes that stop a compile are not lint: they belong to lang and resolve.
package lint
