package evasion

import "slices"

// Row is one way to hide.
type Row struct {
	Number   int
	Title    string
	variants []variant
}

// variant is one form that a row takes.
type variant struct {
	name  string
	want  Outcome
	build func() *script
}

// Outcome is what netpol says of a connection.
type Outcome struct {
	Host     string // what it takes the server for; empty where it names none
	Protocol string
	Evasive  bool // the flow is flagged, whatever its name
	ECH      bool
}

// String is the outcome in a table.
func (o Outcome) String() string {
	switch {
	case o.Evasive:
		return "evasive"
	case o.ECH:
		return o.Host + ", ech"
	case o.Host != "":
		return o.Host
	case o.Protocol != "":
		return o.Protocol + ", no name"
	}
	return "no name"
}

// meets says that what was seen is what is owed.
func (o Outcome) meets(want Outcome) bool {
	if want.Evasive {
		return o.Evasive
	}
	return !o.Evasive && o.Host == want.Host && o.ECH == want.ECH && (want.Protocol == "" || o.Protocol == want.Protocol)
}

// found and flagged are the outcomes of most rows.
func found() Outcome   { return Outcome{Host: Hidden} }
func flagged() Outcome { return Outcome{Evasive: true} }

// Rows lists the table.
func Rows() []Row {
	return slices.Concat(segmentRows(), decoyRows(), recordRows(), nameRows(), quicRows(), fragmentRows(), applicationRows(), lifeRows())
}
