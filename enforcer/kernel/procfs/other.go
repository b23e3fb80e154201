//go:build !linux

package procfs

import "time"

// Usage is what this process uses.
type Usage struct {
	User, System          time.Duration
	Resident, MaxResident uint64
}

// Self knows nothing here.
func Self() (u Usage) { return u }

// Link is what an interface carried since it was made.
type Link struct {
	Name                                    string
	RxBytes, RxPackets, RxErrors, RxDropped uint64
	TxBytes, TxPackets, TxErrors, TxDropped uint64
}

// Links knows none here.
func Links() ([]Link, error) { return nil, nil }
