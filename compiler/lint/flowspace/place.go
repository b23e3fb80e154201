package flowspace

import (
	"math/rand/v2"
	"slices"
)

// Place is one point of the space.
type Place struct{ values []bool }

// PlaceBytes is the memory that one Place takes.
func (s *Space) PlaceBytes() int { return s.levels }

// Samples are some places of a region, all of which the theory allows; fewer
// than n, or none, where the region is small or empty. They are a cheap way to
// learn that a region is not within others: one sample outside of them shows it.
func (s *Space) Samples(r Region, n int) []Place { return s.samples(s.Possible(r), n) }

// LikelySamples are some places of a region that is part of Possible ones, those
// of them that the enforcer could come up with. It is cheaper than
// PlausibleSamples and may miss what that finds.
func (s *Space) LikelySamples(r Region, n int) []Place {
	return slices.DeleteFunc(s.samples(r, n), func(p Place) bool {
		return slices.ContainsFunc(s.soft, func(t theory) bool { return !s.b.Holds(t.node, p.values) })
	})
}

// PlausibleSamples are Samples that the enforcer could come up with.
func (s *Space) PlausibleSamples(r Region, n int) []Place { return s.samples(s.Plausible(r), n) }

func (s *Space) samples(r Region, n int) []Place {
	var out []Place
	random := rand.New(rand.NewPCG(1, 1)) // the same places in every run
	choose := func(int) bool { return false }
	for range n {
		values := slices.Clone(s.base)
		if !s.b.Choose(r.node, values, choose) {
			break
		}
		out = append(out, Place{values})
		// A text that matches several patterns at once is hard to make up.
		choose = func(level int) bool { return !s.ofPattern[level] && random.IntN(2) == 1 }
	}
	return out
}

// Inside says that a place is in a region.
func (s *Space) Inside(p Place, r Region) bool { return s.b.Holds(r.node, p.values) }

// InsideAny says that a place is in one of some regions.
func (s *Space) InsideAny(p Place, list []Region) bool {
	return slices.ContainsFunc(list, func(r Region) bool { return s.Inside(p, r) })
}
