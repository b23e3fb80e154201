// Package fact is the vocabulary of a policy: the table of attributes a
// criterion may name, and the Facts of one flow that carry their values from
// the dissectors to the decision program.
//
// The table in attributes.go is the one place where an attribute is defined;
// the Facts struct, the checker, the documentation and completion come from
// it. fact is a leaf: lang, compiler and enforcer all meet here, so it imports
// the standard library only.
package fact

//go:generate go run ./internal/genfacts
