package lang

import "github.com/netpol/netpol/lang/diag"

// Schedule is times under a name, used as schedule == 'name' in criteria and by
// the schedule argument of policies. It is in force on its days, within its
// hours, on its dates and not on those of Except; what is empty does not matter.
type Schedule struct {
	Name        string // with its module before it, "iot/nights"
	Module      string // empty for the set itself
	Description string
	Days        uint8 // bit 0 is Monday; 0 for every day
	Hours       []Hours
	Dates       []Dates
	Except      []Dates
	Zone        string     // IANA name; empty for that of the set
	Range       diag.Range // of the block's header
}

// Hours is a stretch of a day in minutes since midnight, without its last one.
// With To <= From it passes midnight and belongs to the day that it begins on.
type Hours struct {
	From, To int // From 0..1439, To 1..1440
	Range    diag.Range
}

// Dates is a stretch of days, both included, written 2006-01-02.
type Dates struct {
	From, To string
	Range    diag.Range
}
