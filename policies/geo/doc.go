// Package geo reads files in the MaxMind DB format, in which operators have
// whose an address is: the number of its autonomous system and its country.
// No such file is part of netpol.
//
// netpol reads them where policies are compiled; a router gets the networks
// that came out, never the file. The package imports the standard library only.
//
// Source: MaxMind DB File Format Specification 2.0
// (https://maxmind.github.io/MaxMind-DB/).
package geo
