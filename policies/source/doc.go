// Package source reads the lists that operators have, of who uses which names
// and addresses, into applications: v2fly domain lists, plain lists of domains
// (one a line, or a hosts file), plain lists of networks, Netify's signature
// file, and directories of the catalogue's own tables. What a list has over a
// catalogue can be written as application blocks for a policy directory.
//
// netpol catalog update calls it. It may import artifact and policies, and
// opens the files it is given and, for a v2fly list, those beside it.
package source
