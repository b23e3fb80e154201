package evasion

// difference is what is otherwise on a router than in a capture of the same
// packets, and why.
type difference struct {
	row     int
	variant string // empty: all of the row
	want    Outcome
	skip    bool // it cannot be played
	why     string
}

// differences are those that are known; everything else has the same outcome.
func differences() []difference {
	nothing := Outcome{}
	return []difference{
		{row: 13, variant: "SYN before the answer", want: Outcome{Protocol: "tls"}, why: "conntrack goes by the later opening and takes what the client says for invalid, which nobody tracks: drop ct state invalid, as firewalls do"},
		{row: 29, variant: "overlap, same data", want: nothing, why: "Linux throws fragments that overlap away: nothing reaches the server"},
		{row: 29, variant: "overlap, other data", want: nothing, why: "Linux throws fragments that overlap away: nothing reaches the server"},
		{row: 35, variant: "of a connection that has not ended", want: Outcome{Host: decoy}, why: "for conntrack it is the connection that has been decided; a server takes it only where it has forgotten that one"},
		{row: 36, skip: true, why: "a router forwards a tunnel as one connection, and what an interface that is watched unwraps is tested by captures"},
	}
}

// differenceOf is a variant's, nil for none.
func differenceOf(row int, variant string) *difference {
	for _, d := range differences() {
		if d.row == row && (d.variant == "" || d.variant == variant) {
			return &d
		}
	}
	return nil
}
