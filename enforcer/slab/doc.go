// Package slab keeps values by small numbers, which a record has room for where it has
// none for a pointer: growth moves none of them, and where T has no pointers the
// collector looks at none of them.
//
// The engine, flow and kpi keep there what few flows have, or have for a while. Imports
// the standard library only.
package slab
