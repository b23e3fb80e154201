package artifact

import "math/bits"

// Route sends packets whose mark (meta mark, fwmark) under Mask is Mark to a
// routing table.
type Route struct {
	Table uint32 `json:"table"`
	Mark  uint32 `json:"mark"`
	Mask  uint32 `json:"mask"`
}

// RouteMark is the mark of the n-th table, from 0, in the bits of a mask, which are
// side by side. Unless set otherwise those are the upper ones, 0x7f000000, which
// mwan3 (0x3f00), pbr (0xff0000), Tailscale (0xff0000) and Kubernetes (0xc000)
// leave alone.
func RouteMark(mask uint32, n int) uint32 { return uint32(n+1) << bits.TrailingZeros32(mask) }

// MaxRoutes is how many tables a mask can tell apart, at most
// manyRoutes; 0 stands for none.
func MaxRoutes(mask uint32) int { return int(min(mask>>bits.TrailingZeros32(mask), manyRoutes)) }

// manyRoutes bounds the tables of wider masks; each is two routing rules, which the
// kernel tries one after the other.
const manyRoutes = 1024
