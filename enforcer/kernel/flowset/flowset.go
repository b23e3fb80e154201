package flowset

import (
	"errors"
	"slices"
	"time"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer/kernel/ipset"
	"github.com/netpol/netpol/enforcer/kernel/nftset"
)

// Batch is how many changes one Write may have. While the kernel takes them,
// nobody else can change rules: 14 ms for a thousand elements of nftables that
// are renewed, 1 ms for those of an ipset (BenchmarkWrite, 2026-11).
const Batch = 1000

// Writer fills sets. It belongs to one goroutine.
type Writer struct {
	// Run calls what talks to the kernel: a socket is of the network namespace of
	// the thread that opens it. Nil is the calling one's.
	Run func(func())

	nft nftset.Members
}

func (w *Writer) run(f func()) {
	if w.Run == nil {
		f()
		return
	}
	w.Run(f)
}

// Write makes at most Batch changes and tells of those that sets did not take.
func (w *Writer) Write(changes []artifact.MemberChange) (faults []artifact.MemberFault) {
	w.run(func() { faults = w.write(changes) })
	return faults
}

func (w *Writer) write(changes []artifact.MemberChange) []artifact.MemberFault {
	var ofNft, ofIpset []artifact.MemberChange
	for _, c := range changes {
		switch c.Set.Kind {
		case artifact.FlowSetNft:
			ofNft = append(ofNft, c)
		case artifact.FlowSetIpset:
			ofIpset = append(ofIpset, c)
		}
	}
	return append(w.nft.Write(ofNft), ipset.Write(ofIpset)...)
}

// Lives is how long an element of a set lives that nobody renews; 0 is for ever,
// or not known.
func (w *Writer) Lives(s *artifact.FlowSet) (lives time.Duration) {
	w.run(func() { lives = livesOf(s) })
	return lives
}

func livesOf(s *artifact.FlowSet) time.Duration {
	switch s.Kind {
	case artifact.FlowSetNft:
		return nftset.Lives(s)
	case artifact.FlowSetIpset:
		return ipset.Lives(s)
	}
	return 0
}

// Flush empties a set.
func (w *Writer) Flush(s *artifact.FlowSet) (err error) {
	w.run(func() { err = Flush(s) })
	return err
}

// Flush takes all elements out of a set. One that is not there is no error.
func Flush(s *artifact.FlowSet) error {
	switch s.Kind {
	case artifact.FlowSetNft:
		return nftset.Flush(s)
	case artifact.FlowSetIpset:
		return ipset.Flush(s)
	}
	return nil
}

// Create makes a set that is not there.
func Create(s *artifact.FlowSet) error {
	switch s.Kind {
	case artifact.FlowSetNft:
		return nftset.Create(s)
	case artifact.FlowSetIpset:
		return ipset.Create(s)
	}
	return nil
}

// Remove takes a set away. One that is not there is no error.
func Remove(s *artifact.FlowSet) error {
	switch s.Kind {
	case artifact.FlowSetNft:
		return nftset.Remove(s)
	case artifact.FlowSetIpset:
		return ipset.Remove(s)
	}
	return nil
}

// Describe is the kernel's set in the words of FlowSet.Declaration; empty when
// it is not there.
func Describe(s *artifact.FlowSet) (string, error) {
	switch s.Kind {
	case artifact.FlowSetNft:
		return nftset.Describe(s)
	case artifact.FlowSetIpset:
		return ipset.Describe(s)
	}
	return "", nil
}

// ErrNoSet says that a set is not there.
var ErrNoSet = ipset.ErrNoSet

// Count is how many elements an ipset has; the error is ErrNoSet when it is not
// there. Of sets of nftables the kernel tells only by listing every element, so
// they are not counted: changes of theirs are announced (enforcer/kernel/nftwatch).
func Count(s *artifact.FlowSet) (int, error) { return ipset.Count(s) }

// Prepare creates the managed sets of a bundle that are missing, and makes those
// anew that are of another type; undo takes back what it made. made is told of
// each.
func Prepare(sets []artifact.FlowSet, made func(*artifact.FlowSet)) (undo func() error, err error) {
	var done []*artifact.FlowSet
	undo = func() error {
		var errs []error
		for _, s := range slices.Backward(done) {
			errs = append(errs, Remove(s))
		}
		return errors.Join(errs...)
	}
	for i := range sets {
		s := &sets[i]
		if !s.Managed {
			continue
		}
		found, err := Describe(s)
		if err != nil {
			return undo, err
		}
		if found == s.Declaration() {
			continue
		}
		if found != "" {
			if err := Remove(s); err != nil {
				return undo, err
			}
		}
		if err := Create(s); err != nil {
			return undo, err
		}
		done = append(done, s)
		made(s)
	}
	return undo, nil
}

// Collect removes the managed sets of an earlier bundle that a later one does
// not have, and empties the user's own that ask for it. gone is told of each
// that was removed.
func Collect(before, now []artifact.FlowSet, gone func(*artifact.FlowSet)) error {
	var errs []error
	for i := range before {
		s := &before[i]
		if slices.ContainsFunc(now, func(o artifact.FlowSet) bool { return o.ID() == s.ID() }) {
			continue
		}
		switch {
		case s.Managed:
			if err := Remove(s); err != nil {
				errs = append(errs, err)
				continue
			}
			gone(s)
		case s.FlushOnDestroy:
			errs = append(errs, Flush(s))
		}
	}
	return errors.Join(errs...)
}
