package artifact

// Route sends packets whose mark (meta mark, fwmark) under Mask is Mark to a
// routing table.
type Route struct {
	Table uint32 `json:"table"`
	Mark  uint32 `json:"mark"`
	Mask  uint32 `json:"mask"`
}

// RouteMask are the bits of a packet's mark that say which routing table it
// goes by: the upper ones, which mwan3 (0x3f00), pbr (0xff0000), Tailscale
// (0xff0000) and Kubernetes (0xc000) leave alone.
const RouteMask = 0x7f000000

// RouteMark is the mark of the n-th table, from 0.
func RouteMark(n int) uint32 { return uint32(n+1) << 24 }

// MaxRoutes is how many tables the mask can tell apart.
const MaxRoutes = 127
