package release

import (
	"slices"
	"strings"
	"time"
)

// skew is how far the clocks of signer and router may differ.
const skew = 5 * time.Minute

// Trust is what a router asks of a release beyond its signature.
type Trust struct {
	// Names of the router and of the groups it is in. AnyTarget is always one.
	Names []string
	Now   time.Time
	// Serial is the highest that was in force here; 0 for none. Digest is that of
	// its release file, if it is known.
	Serial uint64
	Digest string
}

// Check is nil if the router may go over to the release; the error is a *Refusal.
// A release whose serial is the one in force is allowed: it is that release.
func (t Trust) Check(r *Release) error {
	m := r.Manifest
	switch {
	case m.Target != AnyTarget && !slices.Contains(t.Names, m.Target):
		return refuse(OtherTarget, "it is for %q, and this router is %s", m.Target, strings.Join(quoted(t.Names), ", "))
	case m.Serial < t.Serial:
		return refuse(Older, "its serial is %d, and this router has had %d: an older release is never taken again (sign the old policies anew to go back)", m.Serial, t.Serial)
	case m.Serial == t.Serial && t.Digest != "" && t.Digest != r.Digest:
		return refuse(SameSerial, "its serial is %d as that of the release in force, and it is another one", m.Serial)
	case m.Created.After(t.Now.Add(skew)):
		return refuse(Future, "it was made at %s, and it is %s by this router's clock: set the clock", stamp(m.Created), stamp(t.Now))
	case !t.Now.Before(m.Expires):
		return refuse(Expired, "it expired at %s; sign the policies anew", stamp(m.Expires))
	}
	return nil
}

func quoted(names []string) []string {
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = `"` + n + `"`
	}
	return out
}
