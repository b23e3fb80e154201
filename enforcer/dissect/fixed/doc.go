// Package fixed recognises the protocols that are known by fixed bytes: a
// table of rows and one dissector that reads it. A protocol that needs state,
// decryption or reassembly is a folder of its own beside this one.
//
// A row says which bytes, lengths and numbers the opening of one side must
// show, where that is too little what the other side must answer or repeat, and where
// even that is too little which port one side must use. Each row cites where
// its facts come from. Rows prefer silence to a wrong name: what stands on any
// port must be far from chance, about one in 2^24 for noise.
//
// The rows stand in files by kind; adding one is a line there and a line of
// test beside it. dissect/all lists the dissector; the package imports dissect
// and fact.
package fixed
